"""A training step, on JAX."""

from ..compiled_step import repeated

__all__ = ["repeated"]
