"""Picking tokens of each image, as JAX does it best."""

from typing import Any

import jax.numpy as jnp

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
    # Not as rows of one matrix: images may lie on several devices.
    return jnp.take_along_axis(x, order[:, :, None], axis=1)
