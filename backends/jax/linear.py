"""A product with a matrix and a bias, as JAX does it best."""

import jax
import jax.numpy as jnp

__all__ = ["linear"]


def linear(x: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
    """Returns `x @ kernel + bias`.

    Args:
        x: (..., n).
        kernel: (n, m), of the same type.
        bias: (m,), of the same type.

    Returns:
        (..., m).
    """
    return jnp.matmul(x, kernel) + bias  # XLA fuses them
