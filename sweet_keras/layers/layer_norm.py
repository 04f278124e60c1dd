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
        modulation: (shift, scale), each (B, 1, D) at the width of the prefix, added to the bias and
            to the scale of each sample (FiLM, 1709.07871), or `None`.
    """

    def __init__(self, epsilon: float = 1e-6, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape):
        dim = input_shape[-1]
        self.scale = self.add_weight((dim,), initializer="ones", name="scale")
        self.bias = self.add_weight((dim,), initializer="zeros", name="bias")

    def call(self, x, prefix=None, modulation=None):
        prefix = prefix or HeadPrefix(1, self.scale.shape[0])
        if modulation is None:
            return prefix.normalize(x, self.scale, self.bias, self.epsilon)
        shift, scale = modulation
        x = prefix.standardize(x, self.epsilon)
        return x * (prefix.channels(self.scale) + scale) + (prefix.channels(self.bias) + shift)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
