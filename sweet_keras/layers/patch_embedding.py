"""From pixels to tokens."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from sweet_keras.core.form import check_form
from sweet_keras.core.positions import sincos_positions
from sweet_keras.core.template import POSITIONS, check_pixels, grid_of
from sweet_keras.layers.head_prefix import HeadPrefix
from sweet_keras.layers.linear import linear


@keras.saving.register_keras_serializable("sweet_keras")
class PatchEmbedding(keras.layers.Layer):
    """Cuts images into patches, projects them to tokens with positions, adds tokens of its own.

    Args:
        embed_dim: Channels of a token, D.
        image_shape: (height, width, channels) of the images, in pixels.
        patch_size: Side of a patch, in pixels.
        class_token: Whether a learned token is put before the patches.
        positions: `"sincos"` (fixed) or `"learned"` (starts at the same table).
        pixel_mean: Subtracted from the pixels, a number or one for each channel, in 0..255.
        pixel_std: Divides the pixels after that.
        register_tokens: Learned tokens after the class token and before the patches, R; they have
            no position (2309.16588).

    Call arguments:
        images: (B, height, width, channels), pixels in 0..255, of any type.
        prefix: `HeadPrefix` the network is narrowed to, or `None`.

    Returns:
        Tokens (B, N, D): class token and registers, if there are, then the patches.
    """

    def __init__(
        self,
        embed_dim: int,
        image_shape: tuple[int, int, int],
        patch_size: int,
        class_token: bool = False,
        positions: str = "sincos",
        pixel_mean: float | tuple[float, ...] = 127.5,
        pixel_std: float | tuple[float, ...] = 127.5,
        register_tokens: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if positions not in POSITIONS:
            raise ValueError(
                f"`positions` must be one of {', '.join(POSITIONS)}. Received: {positions!r}"
            )
        check_form(register_tokens=register_tokens)
        self.embed_dim = embed_dim
        self.image_shape = tuple(image_shape)
        self.patch_size = patch_size
        self.class_token = class_token
        self.register_tokens = register_tokens
        self.positions = positions
        self.pixel_mean = _per_channel(pixel_mean)
        self.pixel_std = _per_channel(pixel_std)
        self.grid = grid_of(self.image_shape, patch_size)
        check_pixels(self.image_shape, self.pixel_mean, self.pixel_std)

    @property
    def num_patches(self) -> int:
        """Patches of an image, N."""
        return self.grid[0] * self.grid[1]

    @property
    def extra_tokens(self) -> int:
        """Tokens before the patches: the class token and the registers."""
        return self.class_token + self.register_tokens

    def build(self, input_shape):
        pixels = self.patch_size**2 * self.image_shape[2]
        # As a linear map, not as a convolution: the fan-in is a whole patch (2111.06377).
        self.kernel = self.add_weight(
            (pixels, self.embed_dim), initializer="glorot_uniform", name="kernel"
        )
        self.bias = self.add_weight((self.embed_dim,), initializer="zeros", name="bias")
        self.position_table = self.add_weight(
            (self.num_patches, self.embed_dim),
            initializer=self._initial_positions,
            trainable=self.positions == "learned",
            name="positions",
        )
        if self.class_token:
            self.class_vector = self._learned_tokens((self.embed_dim,), "class_token")
        if self.register_tokens:
            self.register_vectors = self._learned_tokens(
                (self.register_tokens, self.embed_dim), "register_tokens"
            )

    def _learned_tokens(self, shape, name):
        normal = keras.initializers.TruncatedNormal(stddev=0.02)
        return self.add_weight(shape, initializer=normal, name=name)

    def _initial_positions(self, shape, dtype=None):
        return ops.convert_to_tensor(sincos_positions(self.grid, shape[-1]), dtype)

    def named_weights(self):
        """Its variables by the names of `sweet_keras.core.schema`."""
        named = {
            "patch/kernel": self.kernel,
            "patch/bias": self.bias,
            "positions": self.position_table,
        }
        if self.class_token:
            named["class_token"] = self.class_vector
        if self.register_tokens:
            named["register_tokens"] = self.register_vectors
        return named

    def patchify(self, images):
        """Images (B, height, width, channels) -> normalised pixels (B, N, patch^2 * channels)."""
        if tuple(images.shape[1:]) != self.image_shape:
            raise ValueError(
                f"`images` must have the shape (batch, {', '.join(map(str, self.image_shape))}). "
                f"Received: {tuple(images.shape)}"
            )
        # A batch comes to a model where it was read: here it goes to the device, still as bytes.
        pixels = ops.cast(ops.convert_to_tensor(images), "float32")
        return self.cut((pixels - self._constant(self.pixel_mean)) / self._constant(self.pixel_std))

    def cut(self, pixels):
        """(B, height, width, channels) -> (B, N, patch^2 * channels), values as they are."""
        rows, columns = self.grid
        side, channels = self.patch_size, self.image_shape[2]
        pixels = ops.reshape(pixels, (-1, rows, side, columns, side, channels))
        pixels = ops.transpose(pixels, (0, 1, 3, 2, 4, 5))
        return ops.reshape(pixels, (-1, rows * columns, side * side * channels))

    def unpatchify(self, patches):
        """The inverse of `patchify`: back to pixels in 0..255."""
        rows, columns = self.grid
        side, channels = self.patch_size, self.image_shape[2]
        pixels = ops.reshape(patches, (-1, rows, columns, side, side, channels))
        pixels = ops.transpose(pixels, (0, 1, 3, 2, 4, 5))
        pixels = ops.reshape(pixels, (-1, *self.image_shape))
        return pixels * self._constant(self.pixel_std) + self._constant(self.pixel_mean)

    def positions_of(self, order=None):
        """The positions of some patches (B, n, D), or of all of them (N, D).

        Args:
            order: (B, n) integers, which patches of the image.
        """
        if order is None:
            return ops.convert_to_tensor(self.position_table)
        return ops.take(self.position_table, order, axis=0)

    def embed(self, patches, positions, prefix):
        """Projects patches (B, n, P) and adds positions (n, D) or (B, n, D); extra tokens first."""
        patches = ops.cast(patches, self.compute_dtype)
        tokens = linear(patches, prefix.channels(self.kernel), prefix.channels(self.bias))
        tokens = tokens + prefix.channels(positions)
        learned = [self.class_vector] if self.class_token else []
        learned += [self.register_vectors] if self.register_tokens else []
        parts = []
        for vectors in learned:
            vectors = ops.reshape(prefix.channels(vectors), (1, -1, prefix.embed_dim))
            shape = (ops.shape(tokens)[0], vectors.shape[1], prefix.embed_dim)
            parts.append(ops.cast(ops.broadcast_to(vectors, shape), tokens.dtype))
        return ops.concatenate([*parts, tokens], axis=1) if parts else tokens

    def call(self, images, prefix=None):
        prefix = prefix or HeadPrefix(1, self.embed_dim)
        return self.embed(self.patchify(images), self.positions_of(), prefix)

    def _constant(self, values):
        return ops.convert_to_tensor(np.asarray(values, "float32"))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.num_patches + self.extra_tokens, self.embed_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "embed_dim": self.embed_dim,
            "image_shape": self.image_shape,
            "patch_size": self.patch_size,
            "class_token": self.class_token,
            "positions": self.positions,
            "pixel_mean": self.pixel_mean,
            "pixel_std": self.pixel_std,
            "register_tokens": self.register_tokens,
        }


def _per_channel(values):
    return tuple(float(value) for value in np.atleast_1d(values))
