"""Options that describe images and ranks, from text to numbers."""

import re

from sweet_keras.core.blocks import blocks_per_layer
from sweet_keras.core.ranks import choose_ranks
from sweet_keras.core.size import ViTSize
from sweet_keras.core.subnetworks import KINDS


def parse_image_size(text: str) -> tuple[int, int]:
    """Reads `"224"` (square) or `"224x160"` (height x width), in pixels.

    Raises:
        ValueError: If the text is neither.
    """
    match = re.fullmatch(r"([1-9]\d{0,4})(?:x([1-9]\d{0,4}))?", text)
    if match is None:
        raise ValueError(
            "--image-size must be the side of a square, such as 224, or height x width, such as "
            f"224x160. Received: {text!r}"
        )
    height = int(match[1])
    return height, int(match[2] or height)


def parse_ranks(text: str) -> str | float | tuple[int, int, int]:
    """Reads `"auto"`, a share such as `"0.5"`, or `"72,192,192"`: r1, r2, r3 of the Tucker core.

    Raises:
        ValueError: If the text is none of these.
    """
    if text == "auto":
        return text
    if re.fullmatch(r"0?\.\d+|1\.0*", text):
        return float(text)
    match = re.fullmatch(r"([1-9]\d*)\s*,\s*([1-9]\d*)\s*,\s*([1-9]\d*)", text)
    if match is None:
        raise ValueError(
            "--ranks must be 'auto', a share of the dense kernels such as 0.5, or three positive "
            "integers r1,r2,r3, such as 72,192,192. "
            f"Received: {text!r}"
        )
    return int(match[1]), int(match[2]), int(match[3])


def parse_subnetworks(text: str) -> str | tuple[str, ...]:
    """Reads `"auto"`, `"width"`, `"depth"`, or sizes such as `"L3H3,L6H6"`."""
    return text if text in KINDS else tuple(part.strip() for part in text.split(","))


def check_ranks(ranks: str | float | tuple[int, int, int], size: ViTSize) -> None:
    """Refuses ranks that add nothing to a new template of a size.

    Raises:
        ValueError: If a rank is above the length of its axis, or a share is none.
    """
    choose_ranks(size, ranks)
    limits = blocks_per_layer() * size.depth, size.embed_dim, size.embed_dim
    if isinstance(ranks, tuple) and any(r > top for r, top in zip(ranks, limits, strict=True)):
        raise ValueError(
            f"--ranks must be at most {','.join(map(str, limits))} at {size} with heads of "
            f"{size.head_dim}. Received: {','.join(map(str, ranks))}"
        )
