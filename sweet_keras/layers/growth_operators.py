"""The weights of a large vision transformer as a linear map of those of a small one."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from sweet_keras.core.resize import depth_map, width_index
from sweet_keras.core.size import ViTSize
from sweet_keras.layers.stacked_weights import named_variables

_RESIDUAL = ("patch", "positions", "class_token", "register_tokens", "final_norm")
_MODULES = ("norm1", "query", "key", "value", "output", "norm2", "mlp_in", "mlp_out")


@keras.saving.register_keras_serializable("sweet_keras")
class GrowthOperators(keras.layers.Layer):
    """Grows a frozen network: ``W'_l = B (sum_i w[l, i] W_i) A^T``, with ``B = [I; E]``.

    The operators are tied as in the paper: all that stands on the residual stream (embedding,
    norms, what the kernels read, what output and MLP write) shares one B; query, key and value have
    one each, and the output kernel reads with the value's; the hidden channels of the MLP have
    theirs. Each kind of module has a w of its own, shared by its kernel and bias.

    Decisions of this project: E starts by repeating channels, whole heads of them, and w by evenly
    spaced or stacked copies of layers. A is B divided by the number of times a channel is there at
    the start, a constant, so that whole multiples of the width start with the function of the small
    network (Net2Net, 1511.05641). An axis that does not grow has no operator. A kernel (in, out) of
    Keras is the transpose of the paper's: A stands on its left.

    Args:
        size: Of the large network, no smaller than the small one in depth and width.
        source: The small network, built (any `ViTBackbone`); it becomes part of this layer and is
            frozen.
        stacked: Whether w starts as the layers stacked in order (1 2 3 1 2 3) instead of evenly
            spaced (1 1 2 2 3 3).

    Returns:
        All weights of the large network by the names of `sweet_keras.core.schema`.

    Raises:
        ValueError: If the large network is smaller.

    Reference:
        Wang et al., Learning to Grow Pretrained Models for Efficient Transformer Training,
        2303.00980.
    """

    def __init__(self, size: str | ViTSize, source: keras.Model, stacked: bool = False, **kwargs):
        super().__init__(**kwargs)
        small = source.size
        self.vit_size = ViTSize.parse(size, small.head_dim)
        if self.vit_size.depth < small.depth or self.vit_size.embed_dim < small.embed_dim:
            raise ValueError(
                f"`size` must be no shallower and no narrower than the source, {small}. "
                f"Received: {self.vit_size}"
            )
        self.size = str(self.vit_size)
        self.source = source
        self.source.trainable = False
        self.stacked = stacked
        self.modules = _MODULES
        if source.layer_scale is not None:
            self.modules += ("layer_scale1", "layer_scale2")
        self.width_variables, self.depth_variables = {}, {}

    @property
    def names(self) -> tuple[str, ...]:
        """What it generates: everything."""
        return tuple(named_variables(self.source))

    def build(self, input_shape=None):
        large, small = self.vit_size, self.source.size
        if large.embed_dim > small.embed_dim:
            for name in ("residual", "query", "key", "value", "hidden"):
                ratio = self.source.mlp_ratio if name == "hidden" else 1
                index = width_index(ratio * small.embed_dim, ratio * large.embed_dim)
                copies = np.eye(ratio * small.embed_dim, dtype="float32")[index]
                self.width_variables[name] = self._variable(
                    copies[ratio * small.embed_dim :], f"{name}_width"
                )
        if large.depth > small.depth:
            if self.stacked:
                start = np.eye(small.depth)[np.arange(large.depth) % small.depth]
            else:
                start = depth_map(small.depth, large.depth)
            for name in self.modules:
                self.depth_variables[name] = self._variable(start, f"{name}_depth")

    def _variable(self, array, name):
        return self.add_weight(
            array.shape,
            initializer=lambda shape, dtype=None: ops.convert_to_tensor(array, dtype=dtype),
            name=name,
        )

    def _writes(self, name, x):
        """X (..., n) -> (..., n') on an axis that is written: x Bᵀ."""
        if name not in self.width_variables:
            return x
        new = ops.matmul(x, ops.transpose(self.width_variables[name]))
        return ops.concatenate([x, new], axis=-1)

    def _reads(self, name, x):
        """X (L, n, out) -> (L, n', out) on an axis that is read: A x."""
        if name not in self.width_variables:
            return x
        length = x.shape[1]
        grown = self.width_variables[name].shape[0] + length
        copies = np.bincount(width_index(length, grown)).astype("float32")
        x = x / ops.reshape(ops.convert_to_tensor(copies, dtype=x.dtype), (1, length, 1))
        return ops.concatenate([x, ops.matmul(self.width_variables[name], x)], axis=1)

    def _deepens(self, module, x):
        """X (L, ...) -> (L', ...): sum_i w[l, i] x_i."""
        if module not in self.depth_variables:
            return x
        shape = tuple(x.shape[1:])
        flat = ops.reshape(x, (x.shape[0], int(np.prod(shape))))
        return ops.reshape(ops.matmul(self.depth_variables[module], flat), (-1, *shape))

    def call(self, training=None):
        small = {
            name: ops.stack([variable.value for variable in found])
            if isinstance(found, list)
            else found.value
            for name, found in named_variables(self.source).items()
        }
        grown = {}
        for name, x in small.items():
            module = name.partition("/")[0]
            if module in _RESIDUAL:
                grown[name] = self._writes("residual", x)
            elif module.startswith(("norm", "layer_scale")):
                grown[name] = self._deepens(module, self._writes("residual", x))
        return grown | self._attention(small) | self._mlp(small)

    def _attention(self, small):
        kernels, biases = [], []
        kernel, bias = small["qkv/kernel"], small["qkv/bias"]
        dim = self.source.embed_dim
        for i, name in enumerate(("query", "key", "value")):
            x = self._reads("residual", kernel[:, :, i * dim : (i + 1) * dim])
            kernels.append(self._deepens(name, self._writes(name, x)))
            biases.append(self._deepens(name, self._writes(name, bias[:, i])))
        x = self._writes("residual", self._reads("value", small["output/kernel"]))
        bias = self._writes("residual", small["output/bias"])
        return {
            "qkv/kernel": ops.concatenate(kernels, axis=-1),
            "qkv/bias": ops.stack(biases, axis=1),
            "output/kernel": self._deepens("output", x),
            "output/bias": self._deepens("output", bias),
        }

    def _mlp(self, small):
        enters = self._writes("hidden", self._reads("residual", small["mlp_in/kernel"]))
        leaves = self._writes("residual", self._reads("hidden", small["mlp_out/kernel"]))
        hidden = ops.reshape(small["mlp_in/bias"], (self.source.size.depth, -1))
        hidden = self._deepens("mlp_in", self._writes("hidden", hidden))
        bias = self._writes("residual", small["mlp_out/bias"])
        return {
            "mlp_in/kernel": self._deepens("mlp_in", enters),
            "mlp_in/bias": ops.reshape(
                hidden, (self.vit_size.depth, self.source.mlp_ratio, self.vit_size.embed_dim)
            ),
            "mlp_out/kernel": self._deepens("mlp_out", leaves),
            "mlp_out/bias": self._deepens("mlp_out", bias),
        }

    def get_config(self):
        return {
            **super().get_config(),
            "size": self.size,
            "source": keras.saving.serialize_keras_object(self.source),
            "stacked": self.stacked,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        source = keras.saving.deserialize_keras_object(
            config["source"], custom_objects=custom_objects
        )
        return cls(**{**config, "source": source})
