"""PyTorch: what Keras leaves to the framework."""

from . import attention, device, distribute, gather, linear, norm, switch, update

__all__ = ["attention", "device", "distribute", "gather", "linear", "norm", "switch", "update"]
