"""What an optimizer does to many variables, for frameworks that compile it: one after another."""

from collections.abc import Sequence
from typing import Any

from keras import ops

__all__ = ["adam_step", "scale"]

Tensor = Any  # of the framework
Variable = Any  # of Keras, or of the framework


def adam_step(
    variables: Sequence[Variable],
    gradients: Sequence[Tensor],
    momentums: Sequence[Variable],
    velocities: Sequence[Variable],
    rate: Tensor,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> None:
    """Takes a step of Adam with every variable.

    Args:
        variables: What is learned.
        gradients: Of them, of the same types.
        momentums: Means of the gradients; changed.
        velocities: Means of their squares; changed.
        rate: The learning rate with the correction of both means, a number.
        beta_1: Share of the first mean that is kept.
        beta_2: Share of the second.
        epsilon: Added to the root of the second.
    """
    for variable, gradient, momentum, velocity in zip(
        variables, gradients, momentums, velocities, strict=True
    ):
        momentum.assign(momentum + (gradient - momentum) * (1 - beta_1))
        velocity.assign(velocity + (ops.square(gradient) - velocity) * (1 - beta_2))
        step = momentum / (ops.sqrt(velocity) + epsilon)
        variable.assign(variable - step * ops.cast(rate, gradient.dtype))


def scale(variables: Sequence[Variable], factor: Tensor) -> None:
    """Multiplies variables by a number.

    Args:
        variables: They are changed.
        factor: The number.
    """
    for variable in variables:
        variable.assign(variable * ops.cast(factor, variable.dtype))
