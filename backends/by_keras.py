"""Parts of a transformer block as Keras does them, for frameworks that have nothing faster."""

from typing import Any

import keras
from keras import ops

__all__ = ["layer_norm", "self_attention"]

Tensor = Any  # of the framework


def self_attention(
    qkv: Tensor, heads: int, mask: Tensor | None = None, last: int | None = None
) -> Tensor:
    """Returns what each token takes from all tokens, in each head.

    Args:
        qkv: (B, N, 3 * D): queries, keys and values, each of all heads.
        heads: H, a divisor of D.
        mask: Booleans, broadcast to (B, H, N, N): `False` where a query may not see a key.
        last: Number of tokens, counted from the end, that are asked for; all by default.

    Returns:
        (B, N or `last`, D).
    """
    length, dim = qkv.shape[1], qkv.shape[2] // 3
    qkv = ops.reshape(qkv, (-1, length, 3, heads, dim // heads))
    # Not three slices: each of them would have a gradient as large as all three.
    query, key, value = ops.unstack(qkv, 3, axis=2)
    if last is not None:
        query = query[:, length - last :]
    # cuDNN's attention trains on even numbers of tokens only. Keras on JAX tries it all the same,
    # and reports an error for each layer before it does without.
    odd = length % 2 or query.shape[1] % 2
    fused = False if odd and keras.backend.backend() == "jax" else None
    x = ops.dot_product_attention(query, key, value, mask=mask, flash_attention=fused)
    return ops.reshape(x, (-1, query.shape[1], dim))


def layer_norm(x: Tensor, scale: Tensor | None, bias: Tensor | None, epsilon: float) -> Tensor:
    """Returns `x` without its mean and deviation over the last axis, scaled and shifted.

    Args:
        x: (..., D).
        scale: (D,), of the same type; `None` for ones.
        bias: (D,), of the same type; `None` for zeros.
        epsilon: Added to the variance.

    Returns:
        (..., D), computed in float32 at least.
    """
    return ops.layer_normalization(x, scale, bias, epsilon=epsilon)
