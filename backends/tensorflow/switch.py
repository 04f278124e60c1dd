"""One of several functions, on TensorFlow."""

from ..one_branch import switch

__all__ = ["switch"]
