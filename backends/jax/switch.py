"""One of several functions, as JAX takes its gradient best."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..one_branch import draw

__all__ = ["draw", "switch"]

Tensor = Any  # of this framework


def switch(
    index: Tensor | int, branches: Sequence[Callable[..., Tensor]], *operands: Tensor
) -> Tensor:
    """Returns what one of `branches` makes of `operands`.

    What JAX keeps of `jax.lax.switch` for its gradient is what all branches would have kept, zeros
    for those not taken: with a dozen networks that costs more than running one of them. Here
    nothing is kept, and the branch taken runs again for the gradient.

    Args:
        index: Which, an integer scalar or an integer.
        branches: Functions of `operands` that give tensors of the same shapes. They may use other
            tensors, which get gradients as well.
        operands: Tensors.
    """
    # What the branches use of outside, each once: most of it is common to several.
    outside: list[Tensor] = []
    places: dict[int, int] = {}  # in `outside`, by identity
    bound = []
    for branch in branches:
        function, used = jax.closure_convert(branch, *operands)
        for tensor in used:
            if id(tensor) not in places:
                places[id(tensor)] = len(outside)
                outside.append(tensor)
        bound.append(_bind(function, [places[id(tensor)] for tensor in used]))
    smooth = [jnp.issubdtype(operand.dtype, jnp.floating) for operand in operands]

    def pull_back(function):
        def pull(operands, outside, gradient):
            of_operands, of_outside = jax.vjp(function, operands, outside)[1](gradient)
            # Gradients of integers, of a type without values, cannot leave `lax.switch`.
            kept = [x for x, is_float in zip(of_operands, smooth, strict=True) if is_float]
            return kept, of_outside

        return pull

    @jax.custom_vjp
    def run(index, operands, outside):
        return jax.lax.switch(index, bound, operands, outside)

    def forward(index, operands, outside):
        return run(index, operands, outside), (index, operands, outside)

    def backward(kept, gradient):
        index, operands, outside = kept
        pulls = [pull_back(function) for function in bound]
        floats, of_outside = jax.lax.switch(index, pulls, operands, outside, gradient)
        left = iter(floats)
        of_operands = [
            next(left) if is_float else _no_gradient(operand)
            for operand, is_float in zip(operands, smooth, strict=True)
        ]
        return _no_gradient(index), tuple(of_operands), of_outside

    run.defvjp(forward, backward)
    return run(index, operands, tuple(outside))


def _bind(function: Callable[..., Tensor], places: Sequence[int]) -> Callable[..., Tensor]:
    """A function of operands and of what is outside, which it takes from these places."""
    return lambda operands, outside: function(*operands, *(outside[place] for place in places))


def _no_gradient(integers: Tensor) -> np.ndarray:
    return np.zeros(np.shape(integers), jax.dtypes.float0)
