"""Layer normalisation, on JAX."""

from ..by_keras import layer_norm

__all__ = ["layer_norm"]
