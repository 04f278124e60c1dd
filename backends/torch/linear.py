"""A product with a matrix and a bias, as PyTorch does it best."""

from typing import Any

import torch

__all__ = ["linear"]

Tensor = Any  # of this framework


def linear(x: Tensor, kernel: Tensor, bias: Tensor | None = None) -> Tensor:
    """Returns `x @ kernel + bias`.

    Args:
        x: (..., n).
        kernel: (n, m), of the same type.
        bias: m numbers in an array of any shape, of the same type, or `None` for none.

    Returns:
        (..., m).
    """
    # One pass over the output less than a product and a sum; torch fuses the two for matrices only.
    flat = x.reshape(-1, x.shape[-1])
    flat = flat @ kernel if bias is None else torch.addmm(bias.reshape(-1), flat, kernel)
    return flat.reshape(*x.shape[:-1], kernel.shape[-1])
