"""Picking tokens of each image, as TensorFlow does it best."""

from typing import Any

import tensorflow as tf

__all__ = ["gather_tokens"]

Tensor = Any  # of this framework


def gather_tokens(x: Tensor, order: Tensor) -> Tensor:
    """Returns tokens of each image by their numbers.

    Args:
        x: (B, N, C).
        order: (B, n) integers in [0, N).

    Returns:
        (B, n, C).
    """
    # Keras' `take_along_axis` would have an index for each channel.
    return tf.gather(x, order, axis=1, batch_dims=1)
