"""Tables of positions for images of another size, as the library that a table is of does it.

=============== =================================================== =============================
kind            weights                                             of
=============== =================================================== =============================
`"antialiased"` bicubic, a = -0.5, widened where it shrinks         timm, Dinov2 with registers,
                                                                    this package
`"bicubic"`     bicubic, a = -0.75, never widened, the border       Hugging Face's other models
                repeated: torch's without antialiasing
`"linear"`      between neighbours, the first and last kept         big_vision
=============== =================================================== =============================
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sweet_keras.core.resize import resize_grid


def resample(
    table: np.ndarray, source: Sequence[int], target: Sequence[int], kind: str
) -> np.ndarray:
    """Interpolates a table of positions.

    Args:
        table: (h*w, D), row-major over the source grid.
        source: (h, w).
        target: (h', w').
        kind: See above.

    Returns:
        (h'*w', D), in the type of the table; the table itself where the grids are equal.
    """
    if kind == "antialiased" or tuple(source) == tuple(target):
        return resize_grid(table, source, target)
    weights = {"bicubic": _bicubic, "linear": _linear}[kind]
    rows, columns = (weights(old, new) for old, new in zip(source, target, strict=True))
    grid = table.reshape(*source, -1).astype("float64")
    resized = np.einsum("ah,hwd,bw->abd", rows, grid, columns, optimize=True)
    return resized.reshape(target[0] * target[1], -1).astype(table.dtype)


def moco_sincos(grid: Sequence[int], dim: int) -> np.ndarray:
    """The fixed positions of networks that keep none in their file.

    Args:
        grid: (h, w).
        dim: Channels, a multiple of 4, at least 8.

    Returns:
        (h*w, dim) float32: sin x, cos x, sin y, cos y, each at all frequencies.

    Reference:
        Chen et al., MoCo v3, 2104.02057, as big_vision has it.
    """
    count = dim // 4
    frequencies = 10_000.0 ** -(np.arange(count) / (count - 1))
    y, x = np.divmod(np.arange(grid[0] * grid[1]), grid[1])
    angles = [place[:, None] * frequencies for place in (x, y)]
    codes = [wave(angle) for angle in angles for wave in (np.sin, np.cos)]
    return np.concatenate(codes, axis=1).astype("float32")


def _bicubic(source: int, target: int) -> np.ndarray:
    """(target, source), rows that sum to 1."""
    centres = (np.arange(target) + 0.5) * source / target - 0.5
    first = np.floor(centres).astype(int) - 1
    weights = np.zeros((target, source))
    for offset in range(4):
        distance = np.abs(centres - (first + offset))
        near = (1.25 * distance - 2.25) * distance**2 + 1
        far = ((-0.75 * distance + 3.75) * distance - 6) * distance + 3
        place = np.clip(first + offset, 0, source - 1)
        np.add.at(weights, (np.arange(target), place), np.where(distance < 1, near, far))
    return weights


def _linear(source: int, target: int) -> np.ndarray:
    """(target, source), rows that sum to 1."""
    centres = np.arange(target) * (source - 1) / max(target - 1, 1)
    return np.maximum(0, 1 - np.abs(np.arange(source) - centres[:, None]))
