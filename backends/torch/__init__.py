"""PyTorch: what Keras leaves to the framework."""

from . import device

__all__ = ["device"]
