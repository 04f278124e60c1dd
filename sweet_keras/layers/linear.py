"""A product with a matrix and a bias."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from sweet_keras import backends

Tensor = Any


def linear(x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
    """(..., n), (n, m), (m,) -> `x @ kernel + bias`, (..., m), in one operation where there is one.

    Args:
        x: Tensor.
        kernel: Tensor or variable.
        bias: Tensor or variable, or `None` for none.
    """
    if bias is None:
        return ops.matmul(x, kernel)
    x, kernel, bias = map(_tensor, (x, kernel, bias))
    if not x.dtype == kernel.dtype == bias.dtype:
        return ops.matmul(x, kernel) + bias  # which agrees on a type
    return backends.current().linear.linear(x, kernel, bias)


def _tensor(x: Any) -> Tensor:
    # Not by `ops.convert_to_tensor`, which looks again at what a tensor is on.
    return x.value if isinstance(x, keras.Variable) else x
