"""The 12 square blocks of a layer, and the kernels they are laid out into.

A layer has the kernels query, key, value, output (each D x D), the MLP's `mlp_in` (D x 4D) and
`mlp_out` (4D x D). Cut into D x D blocks they are, in this order (a decision of this project):

====== ================ ===========================================
blocks kernel           how the blocks lie in it
====== ================ ===========================================
0-2    `qkv` (D, 3D)    query, key, value side by side (output axis)
3      `output` (D, D)
4-7    `mlp_in` (D, 4D)  side by side (output axis)
8-11   `mlp_out` (4D, D) stacked (input axis)
====== ================ ===========================================

All kernels are (in, out), as in Keras: ``y = x @ kernel``. Every function takes an array
namespace, so that numpy and `keras.ops` run the same lines.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = Any

MLP_RATIO = 4
BLOCKS_PER_LAYER = 4 + 2 * MLP_RATIO
QKV = slice(0, 3)
OUTPUT = 3
MLP_IN = slice(4, 4 + MLP_RATIO)
MLP_OUT = slice(4 + MLP_RATIO, BLOCKS_PER_LAYER)
BLOCK_NAMES = (
    "query",
    "key",
    "value",
    "output",
    *(f"mlp_in_{i}" for i in range(MLP_RATIO)),
    *(f"mlp_out_{i}" for i in range(MLP_RATIO)),
)


class Kernels(NamedTuple):
    """Kernels of a layer, or of several with leading axes (...)."""

    qkv: Array  # (..., D, 3D)
    output: Array  # (..., D, D)
    mlp_in: Array  # (..., D, 4D)
    mlp_out: Array  # (..., 4D, D)


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
        blocks: (..., 12, D, D).
        xp: `numpy` or `keras.ops`.
    """
    return Kernels(
        qkv=side_by_side(blocks[..., QKV, :, :], xp),
        output=blocks[..., OUTPUT, :, :],
        mlp_in=side_by_side(blocks[..., MLP_IN, :, :], xp),
        mlp_out=stacked(blocks[..., MLP_OUT, :, :], xp),
    )


def kernels_to_blocks(kernels: Kernels, xp: Any = np) -> Array:
    """The inverse of `blocks_to_kernels`: kernels -> (..., 12, D, D)."""

    def cut_columns(kernel: Array) -> Array:
        *lead, rows, columns = kernel.shape
        return xp.swapaxes(xp.reshape(kernel, (*lead, rows, columns // rows, rows)), -3, -2)

    *lead, dim, _ = kernels.output.shape
    return xp.concatenate(
        [
            cut_columns(kernels.qkv),
            kernels.output[..., None, :, :],
            cut_columns(kernels.mlp_in),
            xp.reshape(kernels.mlp_out, (*lead, MLP_RATIO, dim, dim)),
        ],
        axis=-3,
    )
