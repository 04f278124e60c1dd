"""Depth-wise stochastic scaling."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from sweet_keras.core.resize import depth_map
from sweet_keras.layers.random_choice import random_choice


@keras.saving.register_keras_serializable("sweet_keras")
class NestedDepth(keras.layers.Layer):
    """Draws which layers a training step keeps: evenly spaced ones, as a shallower network keeps.

    The analogue in depth of `StochasticWidth`, on the layer axis of the tensor. It is not in the
    paper but an extension of this project; it helps networks much shallower than the template.

    Args:
        depth: Layers of the network, L.
        rate: Probability that a training step is made shallower.
        depths: Depths to draw from, each as likely. `None` for 2 to `depth` - 1.
        seed: Integer seed, or `None`.

    Call arguments:
        training: Nothing is drawn unless it is `True`.

    Returns:
        (L,), 1 for a layer that is kept and 0 for one that is skipped, or `None` for all layers.

    Raises:
        ValueError: If `rate` is not a probability or a depth is out of range.
    """

    def __init__(
        self,
        depth: int,
        rate: float = 0.0,
        depths: Sequence[int] | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not 0.0 <= rate <= 1.0:
            raise ValueError(f"`rate` must be between 0 and 1. Received: {rate!r}")
        if depths is not None and not (
            depths and all(isinstance(d, int) and 1 <= d <= depth for d in depths)
        ):
            raise ValueError(
                f"`depths` must hold numbers of layers from 1 to {depth}. Received: {depths!r}"
            )
        self.depth = depth
        self.rate = rate
        self.depths = None if depths is None else tuple(depths)
        self.seed = seed
        kept = self.depths or range(2, depth)
        self._choices = np.array([depth_map(depth, d).sum(axis=0) for d in kept], "float32")
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, training=None):
        if not training or self.rate == 0.0 or not len(self._choices):
            return None
        return random_choice(self._choices, self.rate, 1, self.seed_generator)

    def get_config(self):
        return {
            **super().get_config(),
            "depth": self.depth,
            "rate": self.rate,
            "depths": self.depths,
            "seed": self.seed,
        }
