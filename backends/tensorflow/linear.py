"""A product with a matrix and a bias, as TensorFlow does it best."""

from typing import Any

import tensorflow as tf

__all__ = ["linear"]

Tensor = Any  # of this framework


def linear(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """Returns `x @ kernel + bias`.

    Args:
        x: (..., n).
        kernel: (n, m), of the same type.
        bias: m numbers in an array of any shape, of the same type.

    Returns:
        (..., m).
    """
    # As matrices: what TensorFlow's graph optimiser fuses on a CPU is MatMul with BiasAdd.
    flat = tf.reshape(x, (-1, kernel.shape[0]))
    flat = tf.nn.bias_add(tf.linalg.matmul(flat, kernel), tf.reshape(bias, [-1]))
    return tf.reshape(flat, tf.concat([tf.shape(x)[:-1], kernel.shape[-1:]], axis=0))
