"""TensorFlow: what Keras leaves to the framework."""

from . import device, distribute, linear, switch, update

__all__ = ["device", "distribute", "linear", "switch", "update"]
