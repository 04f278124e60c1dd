"""A pre-norm transformer block."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from sweet_keras import backends
from sweet_keras.core.blocks import Kernels
from sweet_keras.core.form import check_form
from sweet_keras.core.size import ViTSize
from sweet_keras.layers.head_prefix import HeadPrefix
from sweet_keras.layers.layer_norm import NestedLayerNormalization
from sweet_keras.layers.modulation import UNMODULATED
from sweet_keras.layers.own_rows import OwnRowsDropout
from sweet_keras.layers.projections import DenseProjections
from sweet_keras.layers.windows import Windows, layer_windows


@keras.saving.register_keras_serializable("sweet_keras")
class TransformerBlock(keras.layers.Layer):
    """Self-attention and MLP, each behind a LayerNorm and a residual connection.

    The kernels are its own, or come with each call from a template.

    Args:
        num_heads: Heads, H.
        head_dim: Channels of a head; a token has D = H * head_dim.
        own_kernels: `False` if every call brings `projections`.
        drop_path: Probability that a residual branch of a sample is dropped in training
            (stochastic depth, 1603.09382).
        layer_scale: Initial value of a learned scale of each branch (2103.17239), or `None`.
        grid: (h, w) that the tokens lie on, N = h * w; needed with a window only.
        window: Side of the windows, in tokens, that attention is restricted to, or `None`.
        norm_epsilon: Of both LayerNorms.
        mlp_ratio: Hidden channels of the MLP over D, m.
        activation: Of the MLP, `"gelu"` (exact) or `"gelu_tanh"` (its approximation).

    Call arguments:
        x: Tokens (B, N, D).
        projections: `Projections` to use instead of its own kernels.
        prefix: `HeadPrefix` the network is narrowed to, or `None` for the full width.
        modulation: `Modulation` by a condition, or `None`.
        training: Whether branches are dropped.
        last: Number of tokens, counted from the end, that are asked for; all by default. For the
            last block of a network some tokens of which nobody reads; not with a window.

    Raises:
        ValueError: If there is a window without a grid, or one of the last three is none,
            or if `last` is asked of a block with a window.
    """

    def __init__(
        self,
        num_heads: int,
        head_dim: int,
        own_kernels: bool = True,
        drop_path: float = 0.0,
        layer_scale: float | None = None,
        grid: Sequence[int] | None = None,
        window: int | None = None,
        norm_epsilon: float = 1e-6,
        mlp_ratio: int = 4,
        activation: str = "gelu",
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_form(norm_epsilon=norm_epsilon, mlp_ratio=mlp_ratio, activation=activation)
        self.num_heads = num_heads
        self.head_dim = head_dim
        self.own_kernels = own_kernels
        self.drop_path = drop_path
        self.layer_scale = layer_scale
        if window is not None and grid is None:
            raise ValueError(f"`window` needs the `grid` of the tokens. Received: window={window}")
        self.grid = None if grid is None else tuple(grid)
        self.window = window
        windows = None if window is None else Windows(self.grid, window)
        self.windows = None if windows is None or windows.cover_grid else windows
        self.norm_epsilon = norm_epsilon
        self.mlp_ratio = mlp_ratio
        self.activation = activation
        self.remat = False  # a way to train, not part of the network: see `rematerialize`
        self.norm1 = NestedLayerNormalization(norm_epsilon, name="norm1", dtype=self.dtype_policy)
        self.norm2 = NestedLayerNormalization(norm_epsilon, name="norm2", dtype=self.dtype_policy)
        # One draw for each sample: a dropout whose noise does not vary over tokens or channels.
        self.drop = OwnRowsDropout(
            drop_path, noise_shape=(None, 1, 1), name="drop_path", dtype=self.dtype_policy
        )

    def build(self, input_shape):
        dim = self.num_heads * self.head_dim
        if input_shape[-1] != dim:
            raise ValueError(
                f"`x` must have {dim} channels ({self.num_heads} heads of {self.head_dim}). "
                f"Received: shape {tuple(input_shape)}"
            )
        if self.windows is not None and input_shape[1] != self.grid[0] * self.grid[1]:
            raise ValueError(
                f"`x` must have the {self.grid[0] * self.grid[1]} tokens of the grid {self.grid}. "
                f"Received: shape {tuple(input_shape)}"
            )
        self.norm1.build(input_shape)
        self.norm2.build(input_shape)
        self.qkv_bias = self._bias((3, dim), "qkv_bias")
        self.output_bias = self._bias((dim,), "output_bias")
        self.mlp_in_bias = self._bias((self.mlp_ratio, dim), "mlp_in_bias")
        self.mlp_out_bias = self._bias((dim,), "mlp_out_bias")
        if self.own_kernels:
            self.qkv_kernel = self._kernel((dim, 3 * dim), "qkv_kernel", maps=3)
            self.output_kernel = self._kernel((dim, dim), "output_kernel")
            hidden = self.mlp_ratio * dim
            self.mlp_in_kernel = self._kernel((dim, hidden), "mlp_in_kernel")
            self.mlp_out_kernel = self._kernel((hidden, dim), "mlp_out_kernel")
        if self.layer_scale is not None:
            scale = keras.initializers.Constant(self.layer_scale)
            self.layer_scale1 = self.add_weight((dim,), initializer=scale, name="layer_scale1")
            self.layer_scale2 = self.add_weight((dim,), initializer=scale, name="layer_scale2")

    def _bias(self, shape, name):
        return self.add_weight(shape, initializer="zeros", name=name)

    def _kernel(self, shape, name, maps=1):
        # Xavier-uniform, query, key and value as maps of their own.
        limit = (6 / (shape[0] + shape[1] / maps)) ** 0.5
        return self.add_weight(
            shape, initializer=keras.initializers.RandomUniform(-limit, limit), name=name
        )

    def named_weights(self):
        """Its variables by the names of `sweet_keras.core.schema`."""
        named = {
            "norm1/scale": self.norm1.scale,
            "norm1/bias": self.norm1.bias,
            "qkv/bias": self.qkv_bias,
            "output/bias": self.output_bias,
            "norm2/scale": self.norm2.scale,
            "norm2/bias": self.norm2.bias,
            "mlp_in/bias": self.mlp_in_bias,
            "mlp_out/bias": self.mlp_out_bias,
        }
        if self.own_kernels:
            named |= {
                "qkv/kernel": self.qkv_kernel,
                "output/kernel": self.output_kernel,
                "mlp_in/kernel": self.mlp_in_kernel,
                "mlp_out/kernel": self.mlp_out_kernel,
            }
        if self.layer_scale is not None:
            named |= {"layer_scale1": self.layer_scale1, "layer_scale2": self.layer_scale2}
        return named

    def call(self, x, projections=None, prefix=None, modulation=None, training=None, last=None):
        if last is not None and self.windows is not None:
            raise ValueError(f"`last` must be None in a block with a window. Received: {last}")
        if not (self.remat and training):
            return self._forward(x, projections, prefix, modulation, training, last)
        # TensorFlow gives gradients to arguments and variables, not to what a function closes over.
        given = (x, projections.tensors() if projections else (), modulation)
        arguments = [tensor for tensor in keras.tree.flatten(given) if tensor is not None]

        def forward(*tensors):
            left = iter(tensors)
            x, parts, modulation = keras.tree.map_structure(
                lambda tensor: None if tensor is None else next(left), given
            )
            again = projections.with_tensors(parts) if projections else None
            return self._forward(x, again, prefix, modulation, training, last)

        return keras.remat(forward)(*arguments)

    def _forward(self, x, projections, prefix, modulation, training, last):
        if projections is None:
            projections = DenseProjections(
                Kernels(
                    self.qkv_kernel, self.output_kernel, self.mlp_in_kernel, self.mlp_out_kernel
                )
            )
        prefix = prefix or HeadPrefix(self.num_heads, self.head_dim)
        norm1, gate1, norm2, gate2 = modulation or UNMODULATED
        # `call`: what Keras does around a layer takes longer than the norm, on torch.
        x1 = self.norm1.call(x, prefix, norm1)
        attended = self._attention(x1, projections, prefix, last)
        if last is not None:
            x = x[:, x.shape[1] - last :]
        x = x + self._branch(attended, "layer_scale1", gate1, prefix, training)
        x2 = self.norm2.call(x, prefix, norm2)
        hidden = self._mlp(x2, projections, prefix)
        return x + self._branch(hidden, "layer_scale2", gate2, prefix, training)

    def _branch(self, x, scale, gate, prefix, training):
        if self.layer_scale is not None:
            x = x * prefix.channels(getattr(self, scale))
        if gate is not None:
            x = x * gate
        return self.drop(x, training=training) if self.drop_path else x

    def _attention(self, x, projections, prefix, last):
        qkv = projections.qkv(x, prefix.channels(self.qkv_bias))
        mask = None
        if self.windows is not None:
            # After the projection: padding that is masked need not be projected.
            mask = self.windows.mask(qkv)
            qkv = self.windows.partition(qkv)
        x = backends.current().attention.self_attention(qkv, prefix.num_heads, mask, last)
        if self.windows is not None:
            x = self.windows.merge(x)
        return projections.output(x, prefix.channels(self.output_bias))

    def _mlp(self, x, projections, prefix):
        x = projections.mlp_in(x, prefix.channels(self.mlp_in_bias))
        x = ops.gelu(x, approximate=self.activation == "gelu_tanh")
        return projections.mlp_out(x, prefix.channels(self.mlp_out_bias))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "head_dim": self.head_dim,
            "own_kernels": self.own_kernels,
            "drop_path": self.drop_path,
            "layer_scale": self.layer_scale,
            "grid": self.grid,
            "window": self.window,
            "norm_epsilon": self.norm_epsilon,
            "mlp_ratio": self.mlp_ratio,
            "activation": self.activation,
        }


def block_stack(
    size: ViTSize,
    own_kernels: bool = True,
    drop_path: float = 0.0,
    layer_scale: float | None = None,
    grid: Sequence[int] | None = None,
    window: int | None = None,
    global_blocks: int = 4,
    norm_epsilon: float = 1e-6,
    mlp_ratio: int = 4,
    activation: str = "gelu",
    dtype=None,
) -> list[TransformerBlock]:
    """The blocks of a network, `block_0` first; the drop rate grows linearly from 0 to `drop_path`.

    Args:
        size: Depth and width.
        own_kernels: See `TransformerBlock`.
        drop_path: Rate of the last block.
        layer_scale: See `TransformerBlock`.
        grid: See `TransformerBlock`.
        window: See `TransformerBlock`; of the blocks that are not global.
        global_blocks: Blocks that attend to everything, evenly spaced (see `layer_windows`).
        norm_epsilon: See `TransformerBlock`.
        mlp_ratio: See `TransformerBlock`.
        activation: See `TransformerBlock`.
        dtype: Data type policy.
    """
    rates = np.linspace(0, drop_path, size.depth)
    windows = layer_windows(size.depth, window, global_blocks)
    return [
        TransformerBlock(
            size.num_heads,
            size.head_dim,
            own_kernels=own_kernels,
            drop_path=float(rate),
            layer_scale=layer_scale,
            grid=grid,
            window=windows[layer],
            norm_epsilon=norm_epsilon,
            mlp_ratio=mlp_ratio,
            activation=activation,
            name=f"block_{layer}",
            dtype=dtype,
        )
        for layer, rate in enumerate(rates)
    ]
