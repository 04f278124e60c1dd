"""JAX: what Keras leaves to the framework."""

from . import attention, device, distribute, gather, linear, norm, step, switch, update

__all__ = [
    "attention",
    "device",
    "distribute",
    "gather",
    "linear",
    "norm",
    "step",
    "switch",
    "update",
]
