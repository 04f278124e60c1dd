"""One of several functions, on TensorFlow."""

from ..one_branch import draw, switch

__all__ = ["draw", "switch"]
