"""A time and a label as the condition that modulates a vision transformer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import keras
import numpy as np
from keras import ops

from sweet_keras.core.size import ViTSize
from sweet_keras.layers.head_prefix import HeadPrefix
from sweet_keras.layers.modulation import Modulation

_FREQUENCIES = 128  # of a sine and a cosine each
_LONGEST = 10_000.0  # the slowest frequency, in units of the fastest
_TIME_SCALE = 1000.0  # times are 0..1 here and step numbers in 2212.09748


@keras.saving.register_keras_serializable("sweet_keras")
class Conditioning(keras.layers.Layer):
    """Adaptive LayerNorm with gates that start at zero (adaLN-zero).

    A linear map of the condition, an embedded time plus an embedded label, gives each block the
    shifts and scales of its norms and the gates of its branches, and the last norm its shift and
    scale. In the paper the norms have no scale and bias, and the map has a bias; here the bias of
    the map for shifts and scales is kept where a plain network has it, in the norms. So the norms
    of a trained network are inherited, and a template stays a template. The maps and the gates'
    biases start at zero: every block is the identity.

    It is narrowed with the network: the condition of a head prefix is computed from its channels.

    Args:
        depth: Layers, L.
        num_heads: Heads.
        head_dim: Channels of a head; D = num_heads * head_dim.
        classes: Number of classes; the label `classes` stands for no class.

    Call arguments:
        time: (B,) floats, 0..1.
        labels: (B,) integers, 0..classes.
        prefix: `HeadPrefix` the network is narrowed to, or `None`.
        layers: Which layers run, `None` for all.

    Returns:
        A list with a `Modulation` for each of these layers, and (shift, scale) of the last norm,
        all (B, 1, D) at the width of the prefix.

    Reference:
        Peebles and Xie, Scalable Diffusion Models with Transformers, 2212.09748.
    """

    # Names and axes of its weights, in the letters of `sweet_keras.core.schema`.
    AXES: ClassVar[dict[str, tuple[str, ...]]] = {
        "time_in_kernel": ("F", "D"),
        "time_in_bias": ("D",),
        "time_out_kernel": ("I", "D"),
        "time_out_bias": ("D",),
        "label_table": ("C", "D"),
        "block_modulation": ("L", "I", "6", "D"),
        "gate_bias": ("L", "2", "D"),
        "final_modulation": ("I", "2", "D"),
    }

    def __init__(self, depth: int, num_heads: int, head_dim: int, classes: int, **kwargs):
        super().__init__(**kwargs)
        self.vit_size = ViTSize(depth, num_heads, head_dim)
        if type(classes) is not int or classes < 1:
            raise ValueError(f"`classes` must be a positive integer. Received: {classes!r}")
        self.depth = depth
        self.num_heads = num_heads
        self.head_dim = head_dim
        self.classes = classes

    def build(self, input_shape=None):
        dim = self.vit_size.embed_dim
        self.time_in_kernel = self._normal((2 * _FREQUENCIES, dim), "time_in_kernel")
        self.time_in_bias = self._zeros((dim,), "time_in_bias")
        self.time_out_kernel = self._normal((dim, dim), "time_out_kernel")
        self.time_out_bias = self._zeros((dim,), "time_out_bias")
        self.label_table = self._normal((self.classes + 1, dim), "label_table")
        # Of the six: shift, scale and gate of attention, then of the MLP.
        self.block_modulation = self._zeros((self.depth, dim, 6, dim), "block_modulation")
        self.gate_bias = self._zeros((self.depth, 2, dim), "gate_bias")
        self.final_modulation = self._zeros((dim, 2, dim), "final_modulation")

    def _normal(self, shape, name):
        normal = keras.initializers.TruncatedNormal(stddev=0.02)
        return self.add_weight(shape, initializer=normal, name=name)

    def _zeros(self, shape, name):
        return self.add_weight(shape, initializer="zeros", name=name)

    def call(
        self, time, labels, prefix: HeadPrefix | None = None, layers: Sequence[int] | None = None
    ):
        prefix = prefix or HeadPrefix(self.num_heads, self.head_dim)
        layers = range(self.depth) if layers is None else layers
        condition = ops.silu(self._condition(time, labels, prefix))
        blocks = [self._modulation(condition, layer, prefix) for layer in layers]
        return blocks, _apart(self._map(condition, self.final_modulation, prefix))

    def _condition(self, time, labels, prefix):
        """(B, D)."""
        exponents = -math.log(_LONGEST) / _FREQUENCIES * np.arange(_FREQUENCIES)
        frequencies = ops.convert_to_tensor(np.exp(exponents).astype("float32"))
        angles = _TIME_SCALE * time[:, None] * frequencies
        codes = ops.concatenate([ops.cos(angles), ops.sin(angles)], axis=-1)
        hidden = ops.matmul(codes, prefix.channels(self.time_in_kernel))
        hidden = ops.silu(hidden + prefix.channels(self.time_in_bias))
        kernel = prefix.rows(prefix.channels(self.time_out_kernel))
        embedded = ops.matmul(hidden, kernel) + prefix.channels(self.time_out_bias)
        return embedded + prefix.channels(ops.take(self.label_table, labels, axis=0))

    def _modulation(self, condition, layer, prefix):
        mapped = self._map(condition, self.block_modulation[layer], prefix)
        shift1, scale1, gate1, shift2, scale2, gate2 = _apart(mapped)
        bias = prefix.channels(self.gate_bias[layer])
        return Modulation((shift1, scale1), gate1 + bias[0], (shift2, scale2), gate2 + bias[1])

    def _map(self, condition, kernel, prefix):
        """(B, D) through (D, n, D), narrowed on both sides: (B, n, D)."""
        rows, count, _ = kernel.shape
        kernel = prefix.rows(ops.reshape(prefix.channels(kernel), (rows, -1)))
        return ops.reshape(ops.matmul(condition, kernel), (-1, count, prefix.embed_dim))

    def get_config(self):
        names = ("depth", "num_heads", "head_dim", "classes")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _apart(mapped):
    """(B, n, D) -> n tensors (B, 1, D)."""
    return tuple(mapped[:, i : i + 1] for i in range(mapped.shape[1]))
