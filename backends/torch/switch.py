"""One of several functions, as PyTorch takes it best."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras.src.backend.torch.core import get_device

from .. import one_branch
from ..cuda_graphs.recording import current

__all__ = ["draw", "switch"]

Tensor = Any  # of this framework


def draw(count: int, seed: Any) -> Tensor | int:
    """Draws one of `count`, each as likely.

    Args:
        count: How many there are.
        seed: A `keras.random.SeedGenerator`.

    Returns:
        Which, an integer scalar, or an integer where the framework does not trace a step.
    """
    if get_device() == "meta":  # shapes alone, which are the same for all
        return 0
    recorded = current()
    if recorded is not None:
        return recorded.choose(count, seed)
    with keras.device("cpu"):  # Python takes the branch, and need not wait for a GPU to say which
        return int(one_branch.draw(count, seed))


def switch(
    index: Tensor | int, branches: Sequence[Callable[..., Tensor]], *operands: Tensor
) -> Tensor:
    """Returns what one of `branches` makes of `operands`.

    Args:
        index: Which, an integer scalar.
        branches: Functions of `operands` that give tensors of the same shapes. They may use other
            tensors, which get gradients as well.
        operands: Tensors.
    """
    return branches[int(index)](*operands)
