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
    x, kernel = tensor_of(x), tensor_of(kernel)
    bias = None if bias is None else tensor_of(bias)
    if x.dtype == kernel.dtype and (bias is None or bias.dtype == x.dtype):
        return backends.current().linear.linear(x, kernel, bias)
    product = ops.matmul(x, kernel)  # which agrees on a type
    return product if bias is None else product + ops.reshape(bias, (-1,))
