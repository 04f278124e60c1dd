"""One of several functions, for frameworks whose gradient of it keeps what the one taken needs."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

__all__ = ["draw", "switch"]

Tensor = Any  # of the framework


def draw(count: int, seed: Any) -> Tensor | int:
    """Draws one of `count`, each as likely.

    Args:
        count: How many there are.
        seed: A `keras.random.SeedGenerator`.

    Returns:
        Which, an integer scalar, or an integer where the framework does not trace a step.
    """
    drawn = keras.random.uniform((), seed=seed, dtype="float32")
    return ops.minimum(ops.cast(drawn * count, "int32"), count - 1)


def switch(
    index: Tensor | int, branches: Sequence[Callable[..., Tensor]], *operands: Tensor
) -> Tensor:
    """Returns what one of `branches` makes of `operands`.

    Args:
        index: Which, an integer scalar or an integer.
        branches: Functions of `operands` that give tensors of the same shapes. They may use other
            tensors, which get gradients as well.
        operands: Tensors.
    """
    if isinstance(index, int):  # known already: no device need be asked
        return branches[index](*operands)
    return ops.switch(index, branches, *operands)
