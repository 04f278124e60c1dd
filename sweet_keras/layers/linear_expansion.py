"""Transformer blocks that lie on a straight line."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from sweet_keras.core import schema
from sweet_keras.core.size import ViTSize


@keras.saving.register_keras_serializable("sweet_keras")
class LinearExpansion(keras.layers.Layer):
    """Gives every layer its weights as ``theta_l = theta_B + (l / L) theta_A``, l = 1 .. L.

    That is every tensor of a block: kernels, biases, norms. theta_B is called `base` and theta_A
    `slope` here. At the start both kernels are Xavier-uniform, scaled so that the mean variance
    over the layers is what a plain network starts with; the slopes of norms and biases are 0 (a
    decision of this project).

    Args:
        depth: Layers, L.
        num_heads: Heads.
        head_dim: Channels of a head; D = num_heads * head_dim.
        layer_scale: Initial value of the learned scales of the branches, or `None` for none.
        mlp_ratio: Width of the MLP over D, m.

    Call arguments:
        depth: Another number of layers than the one it was trained with.

    Returns:
        Tensors (L, ...) by the names of `sweet_keras.core.schema`.

    Reference:
        Xia et al., Transformer as Linear Expansion of Learngene, 2312.05614.
    """

    def __init__(
        self,
        depth: int,
        num_heads: int,
        head_dim: int,
        layer_scale: float | None = None,
        mlp_ratio: int = 4,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.size = ViTSize(depth, num_heads, head_dim)
        self.depth = depth
        self.num_heads = num_heads
        self.head_dim = head_dim
        self.layer_scale = layer_scale
        self.mlp_ratio = mlp_ratio
        self.axes = {
            **schema.BLOCK,
            **schema.KERNELS,
            **({} if layer_scale is None else schema.LAYER_SCALE),
        }
        self.base, self.slope = {}, {}

    @property
    def names(self) -> tuple[str, ...]:
        """What it generates."""
        return tuple(self.axes)

    def build(self, input_shape=None):
        dim = self.size.embed_dim
        for name, axes in self.axes.items():
            shape = schema.shape(axes[1:], {"D": dim, "I": dim, "m": self.mlp_ratio})
            variable = name.replace("/", "_")
            self.base[name] = self.add_weight(
                shape, initializer=self._start(name, shape), name=f"base_{variable}"
            )
            zero_or_kernel = self._start(name, shape) if name in schema.KERNELS else "zeros"
            self.slope[name] = self.add_weight(
                shape, initializer=zero_or_kernel, name=f"slope_{variable}"
            )

    def _start(self, name, shape):
        if name in schema.KERNELS:
            maps = 3 if name == "qkv/kernel" else 1
            balance = 1 + float(np.mean(_fractions(self.depth) ** 2))
            limit = (6 / (shape[0] + shape[1] / maps) / balance) ** 0.5
            return keras.initializers.RandomUniform(-limit, limit)
        if name in schema.LAYER_SCALE:
            return keras.initializers.Constant(self.layer_scale)
        return "ones" if name.endswith("/scale") else "zeros"

    def call(self, depth=None):
        return {name: self._along(name, depth or self.depth) for name in self.names}

    def _along(self, name, depth):
        base, slope = self.base[name].value, self.slope[name].value
        fractions = ops.convert_to_tensor(_fractions(depth).astype("float32"), dtype=base.dtype)
        fractions = ops.reshape(fractions, (depth, *(1 for _ in base.shape)))
        return ops.expand_dims(base, 0) + fractions * ops.expand_dims(slope, 0)

    def get_config(self):
        names = ("depth", "num_heads", "head_dim", "layer_scale", "mlp_ratio")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _fractions(depth: int) -> np.ndarray:
    """1/L, 2/L, .. 1."""
    return np.arange(1, depth + 1) / depth
