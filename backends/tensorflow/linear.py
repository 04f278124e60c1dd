"""A product with a matrix and a bias, as TensorFlow does it best."""

from typing import Any

import tensorflow as tf

__all__ = ["linear"]

Tensor = Any  # of this framework


def linear(x: Tensor, kernel: Tensor, bias: Tensor | None = None) -> Tensor:
    """Returns `x @ kernel + bias`.

    Args:
        x: (..., n).
        kernel: (n, m), of the same type.
        bias: m numbers in an array of any shape, of the same type, or `None` for none.

    Returns:
        (..., m).
    """
    # As matrices: what TensorFlow's graph optimiser fuses on a CPU is MatMul with BiasAdd.
    flat = tf.linalg.matmul(tf.reshape(x, (-1, kernel.shape[0])), kernel)
    flat = flat if bias is None else tf.nn.bias_add(flat, tf.reshape(bias, [-1]))
    return tf.reshape(flat, tf.concat([tf.shape(x)[:-1], kernel.shape[-1:]], axis=0))
