"""A step of Adam with several variables at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from sweet_keras import backends

Tensor = Any


def adam_steps(
    found: Sequence[tuple],
    rate: Tensor,
    iterations: Any,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> None:
    """Moves variables as `keras.optimizers.Adam` does.

    Args:
        found: Of each variable: itself, its gradient, the mean of its gradients, that of their
            squares. The first and the last two are changed.
        rate: The learning rate.
        iterations: Steps before this one, an integer variable.
        beta_1: Share of the first mean that is kept.
        beta_2: Share of the second.
        epsilon: Added to the root of the second.
    """
    step = ops.cast(iterations + 1, "float32")
    unbiased_1, unbiased_2 = 1 - ops.power(beta_1, step), 1 - ops.power(beta_2, step)
    rate = rate * ops.sqrt(unbiased_2) / unbiased_1
    backends.current().update.adam_step(*zip(*found, strict=True), rate, beta_1, beta_2, epsilon)
