"""JAX: what Keras leaves to the framework."""

from . import device, linear

__all__ = ["device", "linear"]
