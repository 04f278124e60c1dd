"""The two ways from images to noise that generators learn to go back."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import ops

from sweet_keras.layers.own_rows import draw_rows
from sweet_keras.models import samplers

Tensor = Any


class Flow:
    """The straight line x_t = (1 - t) x + t noise, whose velocity noise - x is learned.

    Times of a training step are logit-normal, t = sigmoid(z) with z ~ N(0, 1), which trains the
    middle of the path most.

    Reference:
        Lipman et al., 2210.02747; the times: Esser et al., 2403.03206.
    """

    # By name; the first is the default.
    samplers: ClassVar = {"heun": samplers.heun, "euler": samplers.euler}

    def weights(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Of the image and of the noise in x_t."""
        return 1 - time, time

    def target(self, clean: Tensor, noise: Tensor) -> Tensor:
        """What the network predicts."""
        return noise - clean

    def draw_times(self, shape: tuple, seed: keras.random.SeedGenerator) -> Tensor:
        """Times of a training step."""
        return ops.sigmoid(draw_rows(keras.random.normal, shape, seed))


class Diffusion:
    """x_t = a x + s noise with a^2 + s^2 = 1, whose noise is learned (epsilon-prediction).

    The cosine schedule: a and s are the cosine and the sine of an angle that grows linearly with t.
    It ends just before a right angle, where a has no inverse. Times are uniform.

    Reference:
        Ho et al., DDPM, 2006.11239; the schedule: Nichol and Dhariwal, 2102.09672.
    """

    samplers: ClassVar = {"ddim": samplers.ddim}

    def weights(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Of the image and of the noise in x_t."""
        return samplers.cosine_weights(time)

    def target(self, clean: Tensor, noise: Tensor) -> Tensor:
        """What the network predicts."""
        return noise

    def draw_times(self, shape: tuple, seed: keras.random.SeedGenerator) -> Tensor:
        """Times of a training step."""
        return draw_rows(keras.random.uniform, shape, seed)


PATHS = {"flow": Flow(), "ddpm": Diffusion()}
