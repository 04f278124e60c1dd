"""Attention of tokens to each other, as PyTorch does it best."""

from typing import Any

import torch
from torch.nn import functional

__all__ = ["self_attention"]

Tensor = Any  # of this framework

# On a CPU the fused kernel works head by head and image by image, which costs more than the
# matrices of attention weights as long as these are small: at 50 tokens 1.6 times, at 197 nothing.
FEW_TOKENS = 128
# Numbers that a processor of today takes at once. Torch's softmax is slow for shorter rows.
VECTOR = 16


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
    qkv = qkv.reshape(-1, length, 3, heads, dim // heads).permute(2, 0, 3, 1, 4)
    first = 0 if last is None else length - last
    if length <= FEW_TOKENS and mask is None and qkv.device.type == "cpu":
        x = _by_weights(qkv, first)
    else:
        query, key, value = qkv.unbind(0)
        query = query[:, :, first:]
        x = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    return x.transpose(1, 2).reshape(-1, length - first, dim)


def _by_weights(qkv: Tensor, first: int) -> Tensor:
    """(3, B, H, N, d) -> (B, H, N - first, d), with one copy of `qkv` in front of all products.

    The copy is in float32 at least: in 16 bits the fused kernel takes four times as long and more.
    """
    _, _, heads, length, channels = qkv.shape
    given = qkv.dtype
    qkv = qkv.to(torch.promote_types(given, torch.float32), memory_format=torch.contiguous_format)
    query, key, value = qkv.reshape(3, -1, length, channels).unbind(0)
    query = query[:, first:] * channels**-0.5
    weights = _softmax(torch.bmm(query, key.transpose(1, 2)))
    return torch.bmm(weights, value).to(given).reshape(-1, heads, length - first, channels)


def _softmax(scores: Tensor) -> Tensor:
    """(..., N) -> the same, positive and of sum 1."""
    length = scores.shape[-1]
    if length >= VECTOR:
        return scores.softmax(-1)
    padded = functional.pad(scores, (0, VECTOR - length), value=-torch.inf)
    return padded.softmax(-1)[..., :length]
