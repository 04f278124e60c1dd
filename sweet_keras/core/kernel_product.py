"""The Tucker product, laid out into kernels or into their halves."""

from __future__ import annotations

from typing import Any

import numpy as np

from sweet_keras.core.blocks import (
    ATTENTION_BLOCKS,
    OUTPUT,
    QKV,
    Kernels,
    blocks_to_kernels,
    mlp_slices,
    side_by_side,
    stacked,
)
from sweet_keras.core.tucker import Array, Factors, check_order, contract, contract_along


def contract_to_kernels(factors: Factors, depth: int, order: str, xp: Any = np) -> Kernels:
    """The kernels of all layers: W = G x1 X x2 U x3 V, laid out.

    Where U comes last, the blocks are laid side by side before it is applied. That is the same
    product, but of large matrices instead of many square ones, and it writes the kernels as they
    are used, while W would be copied once more.

    Args:
        factors: G (r1, r2, r3), X (n * L, r1), U (D, r2), V (D, r3).
        depth: Layers, L.
        order: One of `tucker.ORDERS`.
        xp: `numpy` or `keras.ops`.

    Returns:
        Kernels with a leading axis of L.

    Raises:
        ValueError: If there is no such order.
    """
    check_order(order)
    if order[-1] != "u":
        product = contract(factors, order, xp)
        count, dim = product.shape[0] // depth, product.shape[1]
        return blocks_to_kernels(xp.reshape(product, (depth, count, dim, dim)), xp)
    product = contract_along(_by_kind(factors, depth, xp), order[:-1], xp)  # (n L, r2, D)
    qkv, output, mlp_in, mlp_out = _split_by_kind(product, depth, xp)
    u = factors.input_scaler
    return Kernels(
        qkv=_times_u(u, side_by_side(qkv, xp), xp),
        output=_times_u(u, output[:, 0], xp),
        mlp_in=_times_u(u, side_by_side(mlp_in, xp), xp),
        mlp_out=stacked(_times_u(u, mlp_out, xp), xp),
    )


def contract_halfway(factors: Factors, depth: int, xp: Any = np) -> Kernels:
    """The kernels of all layers, each without its first factor, U, or its last, V^T.

    With C = G x1 X, a kernel of low rank is a product of two matrices: U and then C V^T for query,
    key, value, output and `mlp_in`; U C and then V^T for `mlp_out`. To apply them one after the
    other takes less than U, C and V^T in turn: C V^T is no larger than V^T would be for each block.

    Args:
        factors: As for `contract_to_kernels`.
        depth: Layers, L.
        xp: `numpy` or `keras.ops`.

    Returns:
        Halves with a leading axis of L: `qkv` (L, r2, 3D), `output` (L, r2, D), `mlp_in`
        (L, r2, mD), to be multiplied by U from the left; `mlp_out` (L, mD, r3), by V^T from the
        right.
    """
    product = contract_along(_by_kind(factors, depth, xp), "x", xp)  # (n L, r2, r3)
    qkv, output, mlp_in, mlp_out = _split_by_kind(product, depth, xp)
    v = xp.transpose(factors.output_scaler)
    return Kernels(
        qkv=side_by_side(xp.matmul(qkv, v), xp),
        output=xp.matmul(output, v)[:, 0],
        mlp_in=side_by_side(xp.matmul(mlp_in, v), xp),
        mlp_out=stacked(_times_u(factors.input_scaler, mlp_out, xp), xp),
    )


def _by_kind(factors: Factors, depth: int, xp: Any) -> Factors:
    """With X in another order: the blocks of one kernel in all layers, then those of the next.

    Each kernel is then a part of the product.
    """
    rows, rank = factors.layer_scaler.shape
    by_layer = xp.reshape(factors.layer_scaler, (depth, rows // depth, rank))
    parts = [xp.reshape(by_layer[:, kind], (-1, rank)) for kind in _kinds(rows // depth)]
    return factors._replace(layer_scaler=xp.concatenate(parts))


def _split_by_kind(product: Array, depth: int, xp: Any) -> list[Array]:
    """(n L, a, b) in the order of `_by_kind` -> query, key and value; output; the two of the MLP.

    Each is (L, blocks, a, b).
    """
    rows, *matrix = product.shape
    counts = [kind.stop - kind.start for kind in _kinds(rows // depth)]
    ends = (depth * np.cumsum(counts)[:-1]).tolist()
    parts = xp.split(product, ends, axis=0)
    return [xp.reshape(part, (depth, -1, *matrix)) for part in parts]


def _kinds(count: int) -> tuple[slice, ...]:
    return (QKV, slice(OUTPUT, ATTENTION_BLOCKS), *mlp_slices(count))


def _times_u(u: Array, parts: Array, xp: Any) -> Array:
    """(D, r2), (..., r2, c) -> (..., D, c)."""
    *lead, rank, columns = parts.shape
    flat = xp.reshape(parts, (-1, rank, columns))
    # Repeated without a copy: PyTorch would transpose all parts to multiply them by one matrix.
    repeated = xp.broadcast_to(u, (flat.shape[0], *u.shape))
    return xp.reshape(xp.matmul(repeated, flat), (*lead, u.shape[0], columns))
