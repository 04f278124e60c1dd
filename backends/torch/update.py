"""What an optimizer does to many variables at once, as PyTorch does it best."""

from collections.abc import Sequence
from typing import Any

import torch

__all__ = ["TOGETHER", "adam_step", "scale"]

Tensor = Any  # of this framework
Variable = Any  # of Keras

# Whether an optimizer may change all variables in one go.
TOGETHER = True


@torch.no_grad()
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
    # A few passes over all of them: with a launch for each operation on each variable, a small
    # network's optimizer takes longer than its gradients.
    values, first, second = (_values(those) for those in (variables, momentums, velocities))
    torch._foreach_lerp_(first, gradients, 1 - beta_1)
    torch._foreach_mul_(second, beta_2)
    torch._foreach_addcmul_(second, gradients, gradients, 1 - beta_2)
    roots = torch._foreach_sqrt(second)
    torch._foreach_add_(roots, epsilon)
    steps = torch._foreach_div(first, roots)
    torch._foreach_mul_(steps, rate)
    torch._foreach_sub_(values, steps)


@torch.no_grad()
def scale(variables: Sequence[Variable], factor: Tensor) -> None:
    """Multiplies variables by a number.

    Args:
        variables: They are changed.
        factor: The number.
    """
    torch._foreach_mul_(_values(variables), factor)


def _values(variables: Sequence[Variable]) -> list[Tensor]:
    return [variable.value for variable in variables]
