"""Layer normalisation, as PyTorch does it best."""

from typing import Any

from torch.nn import functional

__all__ = ["layer_norm"]

Tensor = Any  # of this framework


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
    # Keras turns half precision into float32 and back; the kernel does that inside.
    return functional.layer_norm(x, x.shape[-1:], scale, bias, epsilon)
