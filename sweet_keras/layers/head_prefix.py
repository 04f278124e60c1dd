"""Narrowing a network to its first heads."""

from __future__ import annotations

from typing import Any

from keras import ops

from sweet_keras import backends
from sweet_keras.layers.tensor_of import tensor_of

Tensor = Any


class HeadPrefix:
    """The first heads of a network's width, and how everything of that width is narrowed to them.

    A width known in Python is cut out: arrays get shorter and the narrow network is what runs. A
    width that is a tensor, drawn within a compiled step, keeps all shapes static and masks
    instead: the channels beyond the prefix are exactly zero everywhere.

    Args:
        num_heads: Heads of the full width.
        head_dim: Channels of a head.
        heads: Heads to keep: `None` for all, an integer to cut, an integer tensor to mask.

    Raises:
        ValueError: If an integer is not between 1 and `num_heads`.
    """

    def __init__(self, num_heads: int, head_dim: int, heads: int | Tensor | None = None):
        self.head_dim = head_dim
        self.num_heads = num_heads
        self.mask = None
        if isinstance(heads, int):
            if not 1 <= heads <= num_heads:
                raise ValueError(f"`heads` must be from 1 to {num_heads}. Received: {heads}")
            self.num_heads = heads
        elif heads is not None:
            heads = ops.cast(ops.convert_to_tensor(heads), "int32")
            self.mask = ops.arange(num_heads * head_dim, dtype="int32") < heads * head_dim
            self.count = ops.cast(heads * head_dim, "float32")

    @property
    def embed_dim(self) -> int:
        """Length of a narrowed axis: shorter when cut, the full width when masked."""
        return self.num_heads * self.head_dim

    def channels(self, x: Tensor) -> Tensor:
        """Narrows the last axis (D) of a parameter or an activation."""
        if self.mask is not None:
            return x * ops.cast(self.mask, x.dtype)
        return x[..., : self.embed_dim] if x.shape[-1] != self.embed_dim else x

    def rows(self, x: Tensor) -> Tensor:
        """Narrows the first axis (D) of a matrix."""
        if self.mask is not None:
            return x * ops.cast(self.mask, x.dtype)[:, None]
        return x[: self.embed_dim] if x.shape[0] != self.embed_dim else x

    def normalize(self, x: Tensor, scale: Tensor, bias: Tensor, epsilon: float) -> Tensor:
        """Layer normalisation over the kept channels.

        Args:
            x: (..., D), zero beyond the prefix when masked.
            scale: (D,), not narrowed yet.
            bias: (D,), not narrowed yet.
            epsilon: Added to the variance.
        """
        scale, bias = (tensor_of(self.channels(vector)) for vector in (scale, bias))
        if self.mask is not None:
            return self.standardize(x, epsilon) * scale + bias
        if not x.dtype == scale.dtype == bias.dtype:
            return ops.layer_normalization(x, scale, bias, epsilon=epsilon)
        return backends.current().norm.layer_norm(x, scale, bias, epsilon)

    def standardize(self, x: Tensor, epsilon: float) -> Tensor:
        """Takes mean and deviation over the kept channels out, as `normalize` does first."""
        if self.mask is None:
            return backends.current().norm.layer_norm(x, None, None, epsilon)
        dtype = x.dtype
        mask = ops.cast(self.mask, "float32")
        x = ops.cast(x, "float32")
        mean = ops.sum(x, axis=-1, keepdims=True) / self.count
        centred = (x - mean) * mask
        variance = ops.sum(ops.square(centred), axis=-1, keepdims=True) / self.count
        return ops.cast(centred * ops.rsqrt(variance + epsilon), dtype)
