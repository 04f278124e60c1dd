"""From noise to images in a fixed number of steps.

Each sampler takes the steps of equal length in time from t = 1, noise, to t = 0, images. They are
one loop in a compiled function: its size does not grow with the steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from keras import ops

Tensor = Any
Field = Callable[[Tensor, Tensor], Tensor]

_LARGEST_ANGLE = 0.992 * math.pi / 2  # of the cosine schedule


def euler(velocity: Field, noise: Tensor, steps: int) -> Tensor:
    """First order: one step along the velocity at its start.

    Args:
        velocity: dx/dt at (x, t), t a float32 scalar.
        noise: x at t = 1.
        steps: How many.

    Returns:
        x at t = 0.
    """

    def step(i, x):
        return x - velocity(x, _time(i, steps)) / steps

    return ops.fori_loop(0, steps, step, noise)


def heun(velocity: Field, noise: Tensor, steps: int) -> Tensor:
    """Second order: along the mean of the velocities at both ends, two evaluations a step.

    Args:
        velocity: dx/dt at (x, t), t a float32 scalar.
        noise: x at t = 1.
        steps: How many.

    Returns:
        x at t = 0.
    """

    def step(i, x):
        first = velocity(x, _time(i, steps))
        second = velocity(x - first / steps, _time(i + 1, steps))
        return x - (first + second) / (2 * steps)

    return ops.fori_loop(0, steps, step, noise)


def ddim(epsilon: Field, noise: Tensor, steps: int) -> Tensor:
    """Deterministic DDIM on the cosine schedule.

    Args:
        epsilon: Expected noise in x at (x, t), t a float32 scalar.
        noise: x at t = 1.
        steps: How many.

    Returns:
        x at t = 0.

    Reference:
        Song et al., Denoising Diffusion Implicit Models, 2010.02502.
    """

    def step(i, x):
        image_weight, noise_weight = cosine_weights(_time(i, steps))
        predicted = epsilon(x, _time(i, steps))
        clean = (x - noise_weight * predicted) / image_weight
        image_weight, noise_weight = cosine_weights(_time(i + 1, steps))
        return image_weight * clean + noise_weight * predicted

    return ops.fori_loop(0, steps, step, noise)


def cosine_weights(time: Tensor) -> tuple[Tensor, Tensor]:
    """Weights of the image and of the noise at a time of the cosine schedule."""
    angle = _LARGEST_ANGLE * time
    return ops.cos(angle), ops.sin(angle)


def _time(i: Any, steps: int) -> Tensor:
    return 1.0 - ops.cast(i, "float32") / steps
