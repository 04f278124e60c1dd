"""Width-wise stochastic scaling."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from sweet_keras.layers.random_choice import random_choice


@keras.saving.register_keras_serializable("sweet_keras")
class StochasticWidth(keras.layers.Layer):
    """Draws how many heads a training step keeps.

    The paper masks the scalers at random, U' = M_U * U and V' = M_V * V, so that low indices carry
    what every width needs; it does not publish the masks. Here (a decision of this project) M_U and
    M_V are the same prefix of whole heads, one draw for the whole step: the network that remains is
    exactly the narrow one that is cut from the template later.

    Args:
        num_heads: Heads of the full width.
        rate: Probability that a training step is narrowed.
        widths: Head counts to draw from, each as likely. `None` for 1 to `num_heads` - 1.
        seed: Integer seed, or `None`.

    Call arguments:
        training: Nothing is drawn unless it is `True`.

    Returns:
        The number of heads, an int32 scalar tensor, or `None` for the full width.

    Raises:
        ValueError: If `rate` is not a probability or a width is out of range.

    Reference:
        arXiv 2601.19694; the structured prefix is the sibling method's.
    """

    def __init__(
        self,
        num_heads: int,
        rate: float = 0.5,
        widths: Sequence[int] | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not 0.0 <= rate <= 1.0:
            raise ValueError(f"`rate` must be between 0 and 1. Received: {rate!r}")
        if widths is not None and not (
            widths and all(isinstance(w, int) and 1 <= w <= num_heads for w in widths)
        ):
            raise ValueError(
                f"`widths` must hold head counts from 1 to {num_heads}. Received: {widths!r}"
            )
        self.num_heads = num_heads
        self.rate = rate
        self.widths = None if widths is None else tuple(widths)
        self.seed = seed
        self._choices = np.array(self.widths or range(1, num_heads), "int32")
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, training=None):
        if not training or self.rate == 0.0 or not len(self._choices):
            return None
        return random_choice(self._choices, self.rate, self.num_heads, self.seed_generator)

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "rate": self.rate,
            "widths": self.widths,
            "seed": self.seed,
        }
