"""PyTorch: what Keras leaves to the framework."""

from . import device, distribute

__all__ = ["device", "distribute"]
