"""The size of a vision transformer, written ``L6H12``: 6 layers, 12 heads."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence

_LARGEST = 9999
_PATTERN = re.compile(r"L([1-9][0-9]{0,3})H([1-9][0-9]{0,3})")  # \d is any script's digits


@dataclasses.dataclass(frozen=True)
class ViTSize:
    """Depth and width of a vision transformer.

    Args:
        depth: Number of transformer layers.
        num_heads: Number of attention heads.
        head_dim: Channels of one head. The same in every size made from one template.

    Raises:
        ValueError: If one of them is not an integer from 1 to 9999.
    """

    depth: int
    num_heads: int
    head_dim: int = 64

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            if type(value) is not int or not 1 <= value <= _LARGEST:
                raise ValueError(
                    f"`{name}` must be an integer from 1 to {_LARGEST}. Received: {value!r}"
                )

    @property
    def embed_dim(self) -> int:
        """Channels of a token: ``num_heads * head_dim``."""
        return self.num_heads * self.head_dim

    @classmethod
    def parse(cls, text: str | ViTSize, head_dim: int = 64) -> ViTSize:
        """Reads ``"L6H12"``. A `ViTSize` is returned as it is.

        Raises:
            ValueError: If the text is not of that form.
        """
        if isinstance(text, ViTSize):
            return text
        match = _PATTERN.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise ValueError(
                f"`size` must be written like 'L6H12' (6 layers, 12 heads). Received: {text!r}"
            )
        return cls(int(match[1]), int(match[2]), head_dim)

    def __str__(self) -> str:
        return f"L{self.depth}H{self.num_heads}"


def smallest_size(sizes: Sequence[ViTSize]) -> ViTSize:
    """The size that is as shallow as the shallowest and as narrow as the narrowest of several."""
    heads = min(size.num_heads for size in sizes)
    return ViTSize(min(size.depth for size in sizes), heads, sizes[0].head_dim)


def common_width(sizes: Sequence[ViTSize]) -> int:
    """The greatest common divisor of several widths."""
    return math.gcd(*(size.embed_dim for size in sizes))
