"""One of several functions, on PyTorch."""

from ..one_branch import switch

__all__ = ["switch"]
