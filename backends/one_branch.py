"""One of several functions, for frameworks whose gradient of it keeps what the one taken needs."""

from collections.abc import Callable, Sequence
from typing import Any

from keras import ops

__all__ = ["switch"]

Tensor = Any  # of the framework


def switch(index: Tensor, branches: Sequence[Callable[..., Tensor]], *operands: Tensor) -> Tensor:
    """Returns what one of `branches` makes of `operands`.

    Args:
        index: Which, an integer scalar.
        branches: Functions of `operands` that give tensors of the same shapes. They may use other
            tensors, which get gradients as well.
        operands: Tensors.
    """
    return ops.switch(index, branches, *operands)
