"""A plain vision transformer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from sweet_keras.core.form import form_of
from sweet_keras.core.size import ViTSize
from sweet_keras.layers.head_prefix import HeadPrefix
from sweet_keras.layers.layer_norm import NestedLayerNormalization
from sweet_keras.layers.modulation import modulate
from sweet_keras.layers.patch_embedding import PatchEmbedding
from sweet_keras.layers.stacked_weights import read_weights, write_weights
from sweet_keras.layers.transformer_block import block_stack
from sweet_keras.layers.windows import check_whole_grid, check_windows
from sweet_keras.models.known_arguments import refuse_unknown


@keras.saving.register_keras_serializable("sweet_keras")
class ViTBackbone(keras.Model):
    """A vision transformer with ordinary kernels: images in, tokens out.

    This is what `sweet_keras.materialize` returns. Nothing of a template is left in it: it trains,
    saves and loads like any Keras model. A functional model: `get_layer("block_3").output` is the
    output of the fourth block.

    Args:
        size: Such as `"L6H6"`.
        image_shape: (height, width, channels) in pixels.
        patch_size: Side of a patch, in pixels.
        head_dim: Channels of a head; a token has D = heads * head_dim.
        class_token: Whether a class token is put before the patches.
        positions: `"sincos"` (fixed) or `"learned"`.
        drop_path: Stochastic depth, the rate of the last layer; it grows linearly from 0.
        layer_scale: Initial value of a learned scale of each branch, or `None`.
        pixel_mean: Subtracted from the pixels (0..255), one number or one for each channel.
        pixel_std: Divides the pixels after that.
        window: Side of the windows, in tokens, that most blocks attend in, or `None`. The weights
            are the same (see `sweet_keras.layers.windows`).
        global_blocks: With a window: blocks, evenly spaced, that attend to everything.
        register_tokens: Learned tokens after the class token and before the patches.
        norm_epsilon: Of all LayerNorms.
        mlp_ratio: Hidden channels of the MLP over D.
        activation: Of the MLP, `"gelu"` (exact) or `"gelu_tanh"` (its approximation).

    Call arguments:
        images: (B, height, width, channels), pixels in 0..255.

    Returns:
        Tokens (B, N, D): class token and registers, if there are, then the patches.

    Raises:
        ValueError: If sizes do not fit each other.

    Reference:
        Dosovitskiy et al., 2010.11929. Random kernels are Xavier-uniform, as in 2111.06377.
    """

    def __init__(
        self,
        size: str | ViTSize,
        *,
        image_shape: Sequence[int] = (224, 224, 3),
        patch_size: int = 16,
        head_dim: int = 64,
        class_token: bool = False,
        positions: str = "sincos",
        drop_path: float = 0.0,
        layer_scale: float | None = None,
        pixel_mean: float | Sequence[float] = 127.5,
        pixel_std: float | Sequence[float] = 127.5,
        window: int | None = None,
        global_blocks: int = 4,
        register_tokens: int = 0,
        norm_epsilon: float = 1e-6,
        mlp_ratio: int = 4,
        activation: str = "gelu",
        dtype=None,
        **kwargs,
    ):
        refuse_unknown(kwargs, "ViTBackbone")
        size = ViTSize.parse(size, head_dim)
        image_shape = tuple(int(side) for side in image_shape)
        patches = PatchEmbedding(
            size.embed_dim,
            image_shape,
            patch_size,
            class_token=class_token,
            positions=positions,
            pixel_mean=pixel_mean,
            pixel_std=pixel_std,
            register_tokens=register_tokens,
            name="patches",
            dtype=dtype,
        )
        check_windows(window, global_blocks, patches.extra_tokens)
        blocks = block_stack(
            size,
            drop_path=drop_path,
            layer_scale=layer_scale,
            grid=patches.grid,
            window=window,
            global_blocks=global_blocks,
            norm_epsilon=norm_epsilon,
            mlp_ratio=mlp_ratio,
            activation=activation,
            dtype=dtype,
        )
        final_norm = NestedLayerNormalization(norm_epsilon, name="final_norm", dtype=dtype)
        images = keras.Input(image_shape, name="images")
        tokens = patches(images)
        for block in blocks:
            tokens = block(tokens)
        super().__init__(images, final_norm(tokens), **kwargs)
        self.dtype_policy = keras.dtype_policies.get(dtype)  # functional models do not take it
        self.patches = patches
        self.blocks = blocks
        self.final_norm = final_norm
        self.size = size
        self.image_shape = image_shape
        self.patch_size = patch_size
        self.head_dim = size.head_dim
        self.class_token = class_token
        self.positions = positions
        self.drop_path = drop_path
        self.layer_scale = layer_scale
        self.pixel_mean = patches.pixel_mean
        self.pixel_std = patches.pixel_std
        self.window = window
        self.global_blocks = global_blocks
        self.register_tokens = register_tokens
        self.norm_epsilon = norm_epsilon
        self.mlp_ratio = mlp_ratio
        self.activation = activation

    @property
    def embed_dim(self) -> int:
        """Channels of a token, D."""
        return self.size.embed_dim

    @property
    def extra_tokens(self) -> int:
        """Tokens before the patches: the class token and the registers."""
        return self.patches.extra_tokens

    def encode(
        self, patches, order=None, heads=None, training=None, conditioning=None, condition=()
    ):
        """Encodes patches, some of those of an image or all; see `SweetTemplateViT.encode`.

        Raises:
            ValueError: If `heads` is given: ordinary kernels are not nested. If `order` is given in
                a network with windows: picked patches have no grid.
        """
        if heads is not None:
            raise ValueError(
                f"`heads` must be None: only a SweetTemplateViT can be narrowed. Received: {heads}"
            )
        check_whole_grid(self.window, order)
        prefix = HeadPrefix(self.size.num_heads, self.size.head_dim)
        tokens = self.patches.embed(patches, self.patches.positions_of(order), prefix)
        layers = range(self.size.depth)
        modulations, final = modulate(conditioning, condition, prefix, layers)
        for block, modulation in zip(self.blocks, modulations, strict=True):
            # By `call`: see `TransformerBlock`.
            tokens = block.call(tokens, modulation=modulation, training=training)
        return self.final_norm.call(tokens, modulation=final)

    def twin(self, size: str | ViTSize | None = None) -> ViTBackbone:
        """A randomly initialised network, all else as this one's.

        Args:
            size: Another size.
        """
        config = {name: value for name, value in self.get_config().items() if name != "name"}
        return ViTBackbone.from_config({**config, "size": str(size or self.size)})

    def arrays(self) -> dict[str, np.ndarray]:
        """Its weights as float32 arrays, by the names of `sweet_keras.core.schema`."""
        return read_weights(self)

    def load_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Takes over weights; the inverse of `arrays`.

        Raises:
            ValueError: If a shape differs.
        """
        write_weights(self, arrays)

    def get_config(self):
        names = (
            "image_shape patch_size head_dim class_token positions drop_path layer_scale "
            "pixel_mean pixel_std window global_blocks"
        )
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "size": str(self.size),
            **{name: getattr(self, name) for name in names.split()},
            **form_of(self),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)
