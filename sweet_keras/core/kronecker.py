"""Kernels as sums of Kronecker products: W^(l) = sum_t kron(S^(l,t), T^(t)).

Template T^(t) is copied into every block of a grid, each time with a factor of its own. Names:
`templates` T (n, s, s), `scalers` S (L, I, J, n), with S^(l,t) = S[l, :, :, t], W (L, I s, J s).
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


def kronecker_sum(scalers: Array, templates: Array, xp: Any = np) -> Array:
    """The kernels of all layers, as one product of two matrices.

    Args:
        scalers: S (L, I, J, n).
        templates: T (n, s, s).
        xp: `numpy` or `keras.ops`.

    Returns:
        W (L, I s, J s).
    """
    depth, rows, columns, count = scalers.shape
    side = templates.shape[-1]
    flat = xp.matmul(
        xp.reshape(scalers, (depth * rows * columns, count)),
        xp.reshape(templates, (count, side * side)),
    )
    blocks = xp.reshape(flat, (depth, rows, columns, side, side))
    return xp.reshape(xp.swapaxes(blocks, 2, 3), (depth, rows * side, columns * side))


def template_counts(depth: int, grid: int, side: int, mlp_ratio: int) -> tuple[int, int]:
    """How many templates halve the kernels: for a square kernel, and for one of the MLP.

    The blocks of a kernel type over all layers are a matrix (L I J, s^2), and n templates span its
    rows: half its largest rank, so that they are a constraint. Where there are no more blocks than
    values in one (L I J <= s^2), all types together then hold 6 L D^2 numbers, half of a dense
    network's kernels.

    Args:
        depth: Layers, L.
        grid: Blocks along the width, D / s.
        side: s.
        mlp_ratio: Hidden channels of the MLP for each channel of a token.
    """
    square = min(depth * grid**2, side**2) // 2
    wide = min(depth * mlp_ratio * grid**2, side**2) // 2
    return max(1, square), max(1, wide)
