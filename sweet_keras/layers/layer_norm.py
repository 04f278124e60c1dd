"""Layer normalisation that can be narrowed to a head prefix."""

from __future__ import annotations

import keras

from sweet_keras.layers.head_prefix import HeadPrefix


@keras.saving.register_keras_serializable("sweet_keras")
class NestedLayerNormalization(keras.layers.Layer):
    """Layer normalisation whose statistics follow the width of the network.

    Masking a wide network's channels does not make it the narrow network as long as the mean and
    the variance are still taken over all of them. Called with a `HeadPrefix`, this layer takes them
    over the kept channels.

    Args:
        epsilon: Added to the variance.

    Call arguments:
        x: (..., D).
        prefix: A `HeadPrefix`, or `None` for the full width.
    """

    def __init__(self, epsilon: float = 1e-6, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape):
        dim = input_shape[-1]
        self.scale = self.add_weight((dim,), initializer="ones", name="scale")
        self.bias = self.add_weight((dim,), initializer="zeros", name="bias")

    def call(self, x, prefix=None):
        prefix = prefix or HeadPrefix(1, self.scale.shape[0])
        return prefix.normalize(x, self.scale, self.bias, self.epsilon)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
