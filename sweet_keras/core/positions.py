"""Sin-cos positions that are nested: the table of a narrow network is a prefix of a wide one's.

A plain sin-cos table cut to its first half holds one spatial axis only. Here channels come in
groups of four (sin y, cos y, sin x, cos x at one frequency), and the frequencies come in van der
Corput order, so that every prefix sees both axes and covers the whole range of scales evenly.
A decision of this project.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Wavelengths from 2 pi to 200 pi patches: all scales of grids from 7 x 7 to 64 x 64.
TEMPERATURE = 100.0


def van_der_corput(count: int) -> np.ndarray:
    """The first `count` numbers of the base-2 van der Corput sequence, in [0, 1)."""
    values = np.zeros(count)
    index = np.arange(count)
    weight = 0.5
    while index.any():
        values += weight * (index & 1)
        index >>= 1
        weight /= 2
    return values


def sincos_positions(grid: Sequence[int], dim: int) -> np.ndarray:
    """Nested sin-cos positions.

    Args:
        grid: (h, w), patches of the image.
        dim: Channels, D.

    Returns:
        (h*w, D) float32, row-major.
    """
    frequencies = TEMPERATURE ** -van_der_corput(-(-dim // 4))
    angles = [np.arange(size)[:, None] * frequencies for size in grid]
    y, x = np.broadcast_arrays(angles[0][:, None], angles[1][None, :])
    codes = np.stack([np.sin(y), np.cos(y), np.sin(x), np.cos(x)], axis=-1)
    return codes.reshape(grid[0] * grid[1], -1)[:, :dim].astype("float32")
