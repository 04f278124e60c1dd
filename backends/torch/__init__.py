"""PyTorch: what Keras leaves to the framework."""

from . import device, distribute, linear, update

__all__ = ["device", "distribute", "linear", "update"]
