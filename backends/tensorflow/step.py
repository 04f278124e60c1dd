"""A training step, on TensorFlow."""

from ..compiled_step import repeated

__all__ = ["repeated"]
