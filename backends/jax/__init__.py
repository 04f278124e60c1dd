"""JAX: what Keras leaves to the framework."""

from . import device, distribute, linear

__all__ = ["device", "distribute", "linear"]
