"""From a PNG file to the class of each pixel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from sweet_keras.data.decode_image import open_image

if TYPE_CHECKING:
    from PIL import Image

Colour = tuple[int, int, int]

IGNORED = 255
# Pillow stretches gray of two and four bits over the whole range.
_STRETCHED = {"L;2": 85, "L;4": 17}


class ColourTable:
    """Which value each colour of a mask stands for.

    Args:
        colours: RGB triples in the order of the values, or a mapping from
            triples to values, where several may have one value (255: ignored).

    Raises:
        ValueError: If a colour is no RGB triple or listed twice, or a value is
            not in [0, 255].
    """

    def __init__(self, colours: Sequence[Colour] | Mapping[Colour, int]):
        if not isinstance(colours, Mapping):
            pairs = [(colour, value) for value, colour in enumerate(colours)]
        else:
            pairs = list(colours.items())
        try:
            triples = np.array([colour for colour, _ in pairs], np.int64)
            values = np.array([value for _, value in pairs], np.int64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"`colors` must be RGB triples. Received: colors={colours}") from error
        if (
            triples.ndim != 2
            or triples.shape[1] != 3
            or min(triples.min(), values.min()) < 0
            or max(triples.max(), values.max()) > 255
        ):
            raise ValueError(
                "`colors` must be RGB triples of numbers in [0, 255], with values in [0, 255]. "
                f"Received: colors={colours}"
            )
        codes = triples @ (1 << 16, 1 << 8, 1)
        order = np.argsort(codes)
        self._codes, self._values = codes[order], values[order].astype(np.uint8)
        if len(np.unique(codes)) != len(codes):
            raise ValueError(f"`colors` must differ from one another. Received: colors={colours}")

    def values(self, pixels: np.ndarray) -> np.ndarray:
        """Looks up the values of colours.

        Args:
            pixels: uint8 `(height, width, 3)`.

        Returns:
            uint8 `(height, width)`.

        Raises:
            ValueError: If a pixel has a colour that is not in the table.
        """
        codes = pixels.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)
        places = np.minimum(np.searchsorted(self._codes, codes), len(self._codes) - 1)
        unknown = np.argwhere(self._codes[places] != codes)
        if len(unknown):
            row, column = unknown[0]
            raise ValueError(
                "every colour must be among `colors`. "
                f"Received: {tuple(pixels[row, column].tolist())} in row {row}, column {column}"
            )
        return self._values[places]


def decode_mask(
    file: Path | BinaryIO, max_pixels: int, colours: ColourTable | None = None
) -> np.ndarray:
    """Reads the class of each pixel from a PNG file.

    Args:
        file: The file: with a palette, where the values are the numbers of the
            colours, not the colours; or gray, where they are the gray levels as
            they are stored; with `colours` any.
        max_pixels: Largest width times height to decode.
        colours: What the colours stand for.

    Returns:
        uint8 `(height, width)`.

    Raises:
        ValueError: If the file is no such PNG file, is truncated or corrupt, or
            larger than `max_pixels`. The message begins with its path, if it has one.
    """
    try:
        with open_image(file, max_pixels, formats=("PNG",)) as image:
            if colours is not None:
                return colours.values(np.array(image.convert("RGB")))
            return _numbers(image)
    except Exception as error:  # decoders raise nearly anything on corrupt data
        where = f"{file}: " if isinstance(file, Path) else ""
        raise ValueError(f"{where}unreadable mask. Received: {error}") from error


def check_mask(
    mask: np.ndarray, origin: object, size: tuple[int, int], num_classes: int | None
) -> np.ndarray:
    """Returns a mask that fits its image and has no unknown class.

    Args:
        mask: uint8 `(height, width)`.
        origin: Where it is from, for messages.
        size: `(height, width)` of the image.
        num_classes: Number of classes, or `None` for any.

    Returns:
        The mask.

    Raises:
        ValueError: If it is of another size, or a value is neither a class nor
            255.
    """
    if mask.shape != tuple(size):
        raise ValueError(
            f"{origin}: The mask must be as large as its image, {size[1]} wide and {size[0]} high. "
            f"Received: {mask.shape[1]} wide and {mask.shape[0]} high"
        )
    largest = int(np.max(mask, where=mask != IGNORED, initial=0))
    if num_classes is not None and largest >= num_classes:
        raise ValueError(
            f"{origin}: The values of the mask must be in [0, {num_classes}), or {IGNORED} for "
            f"ignored. Received: value {largest}"
        )
    return mask


def _numbers(image: Image.Image) -> np.ndarray:
    """The numbers that a gray image or one with a palette holds."""
    if image.mode == "1":
        return np.array(image).astype(np.uint8)
    if image.mode not in ("P", "L"):
        raise ValueError(
            "expected gray levels or a palette of up to 8 bits; a mask in colours needs the table "
            "of its classes, `colors` or a file colors.json beside the folders. "
            f"Received: an image of mode {image.mode}"
        )
    stored = image.tile[0][3] if image.tile else None
    return np.array(image) // np.uint8(_STRETCHED.get(stored, 1))
