"""Picking tokens of each image, as PyTorch does it best."""

from typing import Any

import torch
from torch.nn import functional

__all__ = ["gather_tokens"]

Tensor = Any  # of this framework


def gather_tokens(x: Tensor, order: Tensor) -> Tensor:
    """Returns tokens of each image by their numbers.

    Args:
        x: (B, N, C).
        order: (B, n) integers in [0, N).

    Returns:
        (B, n, C).
    """
    # As rows of one matrix: `take_along_dim` would have an index for each channel.
    images, tokens, _ = x.shape
    first = tokens * torch.arange(images, device=order.device)
    return functional.embedding(order + first[:, None], x.reshape(-1, x.shape[-1]))
