"""The Tucker product W = G x1 X x2 U x3 V, and applying its blocks without building W.

Names: `core` G (r1, r2, r3), `layer_scaler` X (12L, r1), `input_scaler` U (D, r2),
`output_scaler` V (D, r3), W (12L, D, D). Block b is ``W_b = U C_b V^T`` with the slice
``C_b = sum_k X[b, k] G[k]``. Every step is a product of two matrices: a three-operand einsum
chooses its path differently in each framework.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = Any
# Those of equal cost in order of preference: U last can write kernels as they lie side by side.
ORDERS = ("xvu", "vxu", "xuv", "uxv", "uvx", "vux")


class Factors(NamedTuple):
    """The factors of a Tucker product."""

    core: Array  # G (r1, r2, r3)
    layer_scaler: Array  # X (12L, r1)
    input_scaler: Array  # U (D, r2)
    output_scaler: Array  # V (D, r3)


def contract_layers(core: Array, layer_scaler: Array, xp: Any = np) -> Array:
    """Product along the first axis: (r1, a, b), (n, r1) -> (n, a, b)."""
    rank, rows, columns = core.shape
    flat = xp.matmul(layer_scaler, xp.reshape(core, (rank, rows * columns)))
    return xp.reshape(flat, (layer_scaler.shape[0], rows, columns))


def contract(factors: Factors, order: str, xp: Any = np) -> Array:
    """W = G x1 X x2 U x3 V, contracted in the order given.

    Args:
        factors: G (r1, r2, r3), X (n, r1), U (D, r2), V (D, r3).
        order: One of `ORDERS`; `cost.best_order` picks the cheapest.
        xp: `numpy` or `keras.ops`.

    Returns:
        W (n, D, D).
    """
    check_order(order)
    return contract_along(factors, order, xp)


def check_order(order: str) -> None:
    """Raises ValueError unless it is one of `ORDERS`."""
    if order not in ORDERS:
        raise ValueError(f"`order` must be one of {', '.join(ORDERS)}. Received: {order!r}")


def contract_along(factors: Factors, axes: str, xp: Any = np) -> Array:
    """G contracted along some of its axes, `"x"`, `"u"`, `"v"`, one after another."""
    product = factors.core
    for axis in axes:
        if axis == "x":
            product = contract_layers(product, factors.layer_scaler, xp)
        elif axis == "u":
            product = xp.matmul(factors.input_scaler, product)
        else:
            product = xp.matmul(product, xp.transpose(factors.output_scaler))
    return product
