"""A product with a matrix and a bias."""

from __future__ import annotations

from typing import Any

from keras import ops

from sweet_keras import backends
from sweet_keras.layers.tensor_of import tensor_of

Tensor = Any


def linear(x: Tensor, kernel: Tensor, bias: Tensor | None = None) -> Tensor:
    """(..., n), (n, m), (m,) -> `x @ kernel + bias`, (..., m), in one operation where there is one.

    Args:
        x: Tensor.
        kernel: Tensor or variable.
        bias: Tensor or variable, its m numbers in any shape, or `None` for none.
    """
    if bias is None:
        return ops.matmul(x, kernel)
    x, kernel, bias = map(tensor_of, (x, kernel, bias))
    if not x.dtype == kernel.dtype == bias.dtype:
        return ops.matmul(x, kernel) + ops.reshape(bias, (-1,))  # which agrees on a type
    return backends.current().linear.linear(x, kernel, bias)
