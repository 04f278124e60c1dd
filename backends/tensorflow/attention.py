"""Attention of tokens to each other, on TensorFlow."""

from ..by_keras import self_attention

__all__ = ["self_attention"]
