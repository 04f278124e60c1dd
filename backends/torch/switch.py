"""One of several functions, as PyTorch takes it best."""

from typing import Any

import keras
from keras.src.backend.torch.core import get_device

from .. import one_branch
from ..cuda_graphs.recording import current
from ..one_branch import switch

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
