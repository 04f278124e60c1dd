"""Width-wise stochastic scaling, and its analogue in depth: which network a step trains."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import ops

from sweet_keras.core.size import ViTSize
from sweet_keras.core.subnetworks import choose_subnetworks


@keras.saving.register_keras_serializable("sweet_keras")
class SubnetworkDraw(keras.layers.Layer):
    """Draws the sub-network that a training step trains.

    The paper masks the scalers at random, U' = M_U * U and V' = M_V * V, so that low indices carry
    what every width needs; it does not publish the masks. Here (a decision of this project) M_U and
    M_V are the same prefix of whole heads, one draw for the whole step, and the network that
    remains is exactly the narrow one that is cut from the template later. As it is cut rather than
    masked, a narrow step costs what the narrow network costs. Depth is drawn along with the width
    (not in the paper).

    Args:
        size: Size of the whole network, such as `"L12H12"`.
        subnetworks: Sizes to draw from, each as likely, or how to choose them: see
            `sweet_keras.core.subnetworks`.
        rate: Probability that a training step trains a sub-network.
        seed: Integer seed, or `None`.

    Call arguments:
        training: Nothing is drawn unless it is `True`.

    Returns:
        An int32 scalar tensor: which of `sizes`, or their number for the whole network. `None`
        where nothing is drawn.

    Raises:
        ValueError: If `rate` is not a probability or a size is not smaller than the whole.

    Reference:
        arXiv 2601.19694; the structured prefix is the sibling method's.
    """

    def __init__(
        self,
        size: str | ViTSize,
        subnetworks: str | Sequence[str] = "auto",
        rate: float = 0.5,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not 0.0 <= rate <= 1.0:
            raise ValueError(f"`rate` must be between 0 and 1. Received: {rate!r}")
        whole = ViTSize.parse(size)
        self.size = str(whole)
        self.subnetworks = subnetworks if isinstance(subnetworks, str) else tuple(subnetworks)
        self.rate = rate
        self.seed = seed
        self.sizes = choose_subnetworks(whole, subnetworks)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, training=None):
        if not training or self.rate == 0.0 or not self.sizes:
            return None
        count = len(self.sizes)
        draw = keras.random.uniform((2,), seed=self.seed_generator, dtype="float32")
        index = ops.minimum(ops.cast(draw[1] * count, "int32"), count - 1)
        return ops.where(draw[0] < self.rate, index, count)

    def get_config(self):
        return {
            **super().get_config(),
            "size": self.size,
            "subnetworks": self.subnetworks,
            "rate": self.rate,
            "seed": self.seed,
        }
