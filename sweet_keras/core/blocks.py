"""The square blocks of a layer, and the kernels they are laid out into.

A layer has the kernels query, key, value, output (each D x D), the MLP's `mlp_in` (D x mD) and
`mlp_out` (mD x D). The MLP's ratio m is 4 in nearly all networks; there are 4 + 2m blocks then, 12.
Cut into D x D blocks the kernels are, in this order (a decision of this project):

====== ================ ===========================================
blocks kernel           how the blocks lie in it
====== ================ ===========================================
0-2    `qkv` (D, 3D)    query, key, value side by side (output axis)
3      `output` (D, D)
4-7    `mlp_in` (D, mD)  side by side (output axis)
8-11   `mlp_out` (mD, D) stacked (input axis)
====== ================ ===========================================

All kernels are (in, out), as in Keras: ``y = x @ kernel``. Every function takes an array
namespace, so that numpy and `keras.ops` run the same lines.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = Any

QKV = slice(0, 3)
OUTPUT = 3
ATTENTION_BLOCKS = 4


def blocks_per_layer(mlp_ratio: int = 4) -> int:
    """Blocks of a layer."""
    return ATTENTION_BLOCKS + 2 * mlp_ratio


def mlp_slices(count: int) -> tuple[slice, slice]:
    """Where the blocks of `mlp_in` and `mlp_out` lie among the `count` of a layer."""
    middle = (ATTENTION_BLOCKS + count) // 2
    return slice(ATTENTION_BLOCKS, middle), slice(middle, count)


def block_names(mlp_ratio: int = 4) -> tuple[str, ...]:
    """The blocks of a layer in their order: `query`, .., `mlp_in_0`, .., `mlp_out_0`, .."""
    sides = [f"{side}_{i}" for side in ("mlp_in", "mlp_out") for i in range(mlp_ratio)]
    return ("query", "key", "value", "output", *sides)


class Kernels(NamedTuple):
    """Kernels of a layer, or of several with leading axes (...)."""

    qkv: Array  # (..., D, 3D)
    output: Array  # (..., D, D)
    mlp_in: Array  # (..., D, mD)
    mlp_out: Array  # (..., mD, D)


def side_by_side(blocks: Array, xp: Any = np) -> Array:
    """(..., n, a, b) -> (..., a, n*b)."""
    *lead, n, rows, columns = blocks.shape
    return xp.reshape(xp.swapaxes(blocks, -3, -2), (*lead, rows, n * columns))


def stacked(blocks: Array, xp: Any = np) -> Array:
    """(..., n, a, b) -> (..., n*a, b)."""
    *lead, n, rows, columns = blocks.shape
    return xp.reshape(blocks, (*lead, n * rows, columns))


def blocks_to_kernels(blocks: Array, xp: Any = np) -> Kernels:
    """Lays blocks out into kernels.

    Args:
        blocks: (..., 4 + 2m, D, D).
        xp: `numpy` or `keras.ops`.
    """
    mlp_in, mlp_out = mlp_slices(blocks.shape[-3])
    return Kernels(
        qkv=side_by_side(blocks[..., QKV, :, :], xp),
        output=blocks[..., OUTPUT, :, :],
        mlp_in=side_by_side(blocks[..., mlp_in, :, :], xp),
        mlp_out=stacked(blocks[..., mlp_out, :, :], xp),
    )


def narrow_kernels(kernels: Kernels, dim: int, xp: Any = np) -> Kernels:
    """The kernels of one layer, cut to the first `dim` channels of every block."""
    full = kernels.output.shape[0]
    return Kernels(
        qkv=narrow_columns(kernels.qkv[:dim], full, dim, xp),
        output=kernels.output[:dim, :dim],
        mlp_in=narrow_columns(kernels.mlp_in[:dim], full, dim, xp),
        mlp_out=narrow_rows(kernels.mlp_out[:, :dim], full, dim, xp),
    )


def narrow_columns(matrix: Array, full: int, dim: int, xp: Any = np) -> Array:
    """(a, n * full) -> (a, n * dim): the first columns of each block of those side by side."""
    rows, columns = matrix.shape
    apart = xp.reshape(matrix, (rows, columns // full, full))
    return xp.reshape(apart[:, :, :dim], (rows, columns // full * dim))


def narrow_rows(matrix: Array, full: int, dim: int, xp: Any = np) -> Array:
    """(n * full, b) -> (n * dim, b): the first rows of each of the stacked blocks."""
    rows, columns = matrix.shape
    apart = xp.reshape(matrix, (rows // full, full, columns))
    return xp.reshape(apart[:, :dim], (rows // full * dim, columns))


def kernels_to_blocks(kernels: Kernels, xp: Any = np) -> Array:
    """The inverse of `blocks_to_kernels`: kernels -> (..., 4 + 2m, D, D)."""

    def cut_columns(kernel: Array) -> Array:
        *lead, rows, columns = kernel.shape
        return xp.swapaxes(xp.reshape(kernel, (*lead, rows, columns // rows, rows)), -3, -2)

    *lead, dim, _ = kernels.output.shape
    return xp.concatenate(
        [
            cut_columns(kernels.qkv),
            kernels.output[..., None, :, :],
            cut_columns(kernels.mlp_in),
            xp.reshape(kernels.mlp_out, (*lead, kernels.mlp_out.shape[-2] // dim, dim, dim)),
        ],
        axis=-3,
    )
