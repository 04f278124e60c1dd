"""The light decoder of a masked autoencoder."""

from __future__ import annotations

import keras
from keras import ops

from sweet_keras.core.positions import sincos_positions
from sweet_keras.core.size import ViTSize
from sweet_keras.layers.layer_norm import NestedLayerNormalization
from sweet_keras.layers.linear import linear
from sweet_keras.layers.stacked_weights import read_weights, to_numpy, write_weights
from sweet_keras.layers.transformer_block import block_stack


@keras.saving.register_keras_serializable("sweet_keras")
class MAEDecoder(keras.layers.Layer):
    """Predicts the pixels of the masked patches from the tokens of the visible ones.

    Attention does not know an order, so the tokens stay in the shuffled one: visible patches, then
    mask tokens, each with the position of its patch. Nothing is put back in place, which would cost
    a scatter in the backward pass.

    Args:
        size: Depth and width, such as `"L2H3"`.
        head_dim: Channels of a head.
        encoder_dim: Channels of the encoder's tokens, D.
        grid: (rows, columns) of patches, N = rows * columns.
        patch_pixels: Values of a patch, P = patch^2 * channels.

    Call arguments:
        tokens: (B, v, D), encoded visible patches, class token and registers before them. Channels
            that a narrow encoder lacks are zero.
        order: (B, N) integers: patches in shuffled order, visible ones first.
        masked: Number of masked patches, N - v.

    Returns:
        (B, masked, P), in the order of `order[:, v:]`.
    """

    def __init__(
        self,
        size: str | ViTSize,
        head_dim: int,
        encoder_dim: int,
        grid: tuple[int, int],
        patch_pixels: int,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vit_size = ViTSize.parse(size, head_dim)
        self.size = str(self.vit_size)
        self.head_dim = head_dim
        self.encoder_dim = encoder_dim
        self.grid = tuple(grid)
        self.patch_pixels = patch_pixels
        self.blocks = block_stack(self.vit_size, dtype=self.dtype_policy)
        self.final_norm = NestedLayerNormalization(name="final_norm", dtype=self.dtype_policy)

    def build(self, input_shape=None):
        dim, patches = self.vit_size.embed_dim, self.grid[0] * self.grid[1]
        normal = keras.initializers.TruncatedNormal(stddev=0.02)
        self.embed_kernel = self.add_weight(
            (self.encoder_dim, dim), initializer="glorot_uniform", name="embed_kernel"
        )
        self.embed_bias = self.add_weight((dim,), initializer="zeros", name="embed_bias")
        self.mask_token = self.add_weight((dim,), initializer=normal, name="mask_token")
        self.positions = self.add_weight(
            (patches, dim),
            initializer=lambda shape, dtype=None: ops.convert_to_tensor(
                sincos_positions(self.grid, shape[-1]), dtype
            ),
            trainable=False,
            name="positions",
        )
        for block in self.blocks:
            block.build((None, patches, dim))
        self.final_norm.build((None, patches, dim))
        self.pixels_kernel = self.add_weight(
            (dim, self.patch_pixels), initializer="glorot_uniform", name="pixels_kernel"
        )
        self.pixels_bias = self.add_weight(
            (self.patch_pixels,), initializer="zeros", name="pixels_bias"
        )

    def call(self, tokens, order, masked, training=None):
        tokens = linear(tokens, self.embed_kernel, self.embed_bias)
        positions = ops.take(self.positions, order, axis=0)
        visible = order.shape[1] - masked
        first = tokens.shape[1] - visible  # class token and registers, which have no position
        x = ops.concatenate(
            [
                tokens[:, :first],
                tokens[:, first:] + positions[:, :visible],
                positions[:, visible:] + self.mask_token,
            ],
            axis=1,
        )
        *before, final = self.blocks
        for block in before:  # by `call`: see `TransformerBlock`
            x = block.call(x, training=training)
        x = final.call(x, training=training, last=masked)  # only these are predicted
        x = self.final_norm.call(x)
        return linear(x, self.pixels_kernel, self.pixels_bias)

    def _named_weights(self):
        return {
            "embed/kernel": self.embed_kernel,
            "embed/bias": self.embed_bias,
            "positions": self.positions,
            "mask_token": self.mask_token,
            "pixels/kernel": self.pixels_kernel,
            "pixels/bias": self.pixels_bias,
        }

    def arrays(self):
        """Its weights as float32 arrays by the names of `sweet_keras.core.schema`."""
        own = {name: to_numpy(variable) for name, variable in self._named_weights().items()}
        return {f"decoder/{name}": array for name, array in (own | read_weights(self)).items()}

    def load_arrays(self, arrays):
        """Takes over weights; the inverse of `arrays`."""
        own = {
            name.removeprefix("decoder/"): array
            for name, array in arrays.items()
            if name.startswith("decoder/")
        }
        for name, variable in self._named_weights().items():
            variable.assign(own[name])
        write_weights(self, own)

    def get_config(self):
        names = ("size", "head_dim", "encoder_dim", "grid", "patch_pixels")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
