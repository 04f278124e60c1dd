"""The Tucker product, laid out into kernels."""

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
    rows, rank = factors.layer_scaler.shape
    mlp_in, mlp_out = mlp_slices(rows // depth)
    # The blocks of one kernel in all layers, then those of the next: each is a part of the product.
    by_layer = xp.reshape(factors.layer_scaler, (depth, rows // depth, rank))
    by_kind = [
        xp.reshape(by_layer[:, kind], (-1, rank))
        for kind in (QKV, slice(OUTPUT, ATTENTION_BLOCKS), mlp_in, mlp_out)
    ]
    ends = np.cumsum([part.shape[0] for part in by_kind])[:-1].tolist()
    ordered = factors._replace(layer_scaler=xp.concatenate(by_kind))
    product = contract_along(ordered, order[:-1], xp)  # (n L, r2, D)
    qkv, output, mlp_in, mlp_out = (
        xp.reshape(part, (depth, -1, *part.shape[1:])) for part in xp.split(product, ends, axis=0)
    )
    return Kernels(
        qkv=_times_u(factors.input_scaler, side_by_side(qkv, xp), xp),
        output=_times_u(factors.input_scaler, output[:, 0], xp),
        mlp_in=_times_u(factors.input_scaler, side_by_side(mlp_in, xp), xp),
        mlp_out=stacked(_times_u(factors.input_scaler, mlp_out, xp), xp),
    )


def _times_u(u: Array, parts: Array, xp: Any) -> Array:
    """(D, r2), (..., r2, c) -> (..., D, c)."""
    *lead, rank, columns = parts.shape
    flat = xp.reshape(parts, (-1, rank, columns))
    # Repeated without a copy: PyTorch would transpose all parts to multiply them by one matrix.
    repeated = xp.broadcast_to(u, (flat.shape[0], *u.shape))
    return xp.reshape(xp.matmul(repeated, flat), (*lead, u.shape[0], columns))
