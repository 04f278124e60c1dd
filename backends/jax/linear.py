"""A product with a matrix and a bias, as JAX does it best."""

from typing import Any

import jax.numpy as jnp

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
    # As matrices: on a CPU, XLA multiplies them faster, and the gradients more so.
    flat = jnp.matmul(x.reshape(-1, x.shape[-1]), kernel)
    flat = flat if bias is None else flat + bias.reshape(-1)
    return flat.reshape(*x.shape[:-1], kernel.shape[-1])
