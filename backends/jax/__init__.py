"""JAX: what Keras leaves to the framework."""

from . import attention, device, distribute, linear, switch, update

__all__ = ["attention", "device", "distribute", "linear", "switch", "update"]
