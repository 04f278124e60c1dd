"""TensorFlow: what Keras leaves to the framework."""

from . import device, linear, update

__all__ = ["device", "linear", "update"]
