"""A vision transformer that carries its weight template."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from sweet_keras.core.ranks import choose_ranks
from sweet_keras.core.resize import depth_map
from sweet_keras.core.size import ViTSize
from sweet_keras.core.subnetworks import choose_subnetworks
from sweet_keras.core.template import SweetTemplate
from sweet_keras.layers.head_prefix import HeadPrefix
from sweet_keras.layers.layer_norm import NestedLayerNormalization
from sweet_keras.layers.patch_embedding import PatchEmbedding
from sweet_keras.layers.stacked_weights import read_weights, to_numpy, write_weights
from sweet_keras.layers.transformer_block import block_stack
from sweet_keras.layers.tucker_template import TuckerTemplate

# What a template fixes, and what a new one has if nothing is said.
_DEFAULTS = {
    "patch_size": 16,
    "head_dim": 64,
    "ranks": "auto",
    "class_token": False,
    "positions": "sincos",
    "pixel_mean": 127.5,
    "pixel_std": 127.5,
}


@keras.saving.register_keras_serializable("sweet_keras")
class SweetTemplateViT(keras.layers.Layer):
    """A ViT whose kernels are a Tucker product: images in, tokens out.

    Use it in `MaskedAutoencoder` to learn a template, or in any model and `model.fit`.

    Args:
        source: A size such as `"L12H12"` for a new template, or a `SweetTemplate` to start from.
        size: With a `SweetTemplate`: the size to make of it, the template's own by default.
        image_shape: (height, width, channels) in pixels. With a template: its own by default, other
            sides by interpolating the positions.
        patch_size: Side of a patch, in pixels. With a template: fixed by it, as are `head_dim`,
            `ranks`, `class_token`, `positions`, `pixel_mean` and `pixel_std`.
        head_dim: Channels of a head.
        ranks: (r1, r2, r3), `"auto"`, or a share (see `sweet_keras.core.ranks`).
        class_token: Whether a class token is put before the patches.
        positions: `"sincos"` (fixed) or `"learned"`; both are nested over widths.
        subnetworks: Smaller networks that are trained as well: sizes such as `"L3H3"`, or
            `"auto"`, `"width"`, `"depth"` (see `sweet_keras.core.subnetworks`).
        subnetwork_rate: Share of a training batch that goes through one of them, drawn anew in each
            step; the rest, at least one image, goes through the whole network. By default 0.4 for a
            new template, and 0 for a network made from one.
        train_core: Whether G is trained. By default it is for a new template, and frozen in a
            network made from one, where the scalers and the rest are fitted.
        drop_path: Stochastic depth, the rate of the last layer; it grows linearly from 0.
        layer_scale: Initial value of a learned scale of each branch, or `None`.
        pixel_mean: Subtracted from the pixels (0..255), one number or one for each channel.
        pixel_std: Divides the pixels after that.
        tokens: Tokens in a training step, to choose how W is used (see `TuckerTemplate`).
        seed: Seed of the sub-networks drawn.

    Call arguments:
        images: (B, height, width, channels), pixels in 0..255, of any type.
        heads: Narrow to so many heads: an integer cuts, an integer tensor masks.
        training: Whether sub-networks are drawn and branches dropped.

    Returns:
        Tokens (B, N, D), with a class token (B, 1 + N, D). Those of a narrow network are zero
        beyond its channels.

    Raises:
        ValueError: If sizes do not fit each other.

    Example:
    ```python
    model = keras.Sequential([
        sk.SweetTemplateViT(template, size="L6H6"),
        keras.layers.GlobalAveragePooling1D(),
        keras.layers.Dense(10),
    ])
    ```

    Reference:
        arXiv 2601.19694.
    """

    def __init__(
        self,
        source: str | ViTSize | SweetTemplate,
        size: str | ViTSize | None = None,
        *,
        image_shape: Sequence[int] | None = None,
        patch_size: int | None = None,
        head_dim: int | None = None,
        ranks: Sequence[int] | float | str | None = None,
        class_token: bool | None = None,
        positions: str | None = None,
        subnetworks: str | Sequence[str] = "auto",
        subnetwork_rate: float | None = None,
        train_core: bool | None = None,
        drop_path: float = 0.0,
        layer_scale: float | None = None,
        pixel_mean: float | Sequence[float] | None = None,
        pixel_std: float | Sequence[float] | None = None,
        tokens: int = 12_544,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        template = source if isinstance(source, SweetTemplate) else None
        given = {
            "patch_size": patch_size,
            "head_dim": head_dim,
            "ranks": ranks,
            "class_token": class_token,
            "positions": positions,
            "pixel_mean": pixel_mean,
            "pixel_std": pixel_std,
        }
        given = {name: value for name, value in given.items() if value is not None}
        if template is None:
            if size is not None:
                raise ValueError(
                    "`size` goes with a template as `source`; a new template has the size given "
                    f"as `source`. Received: source={source!r}, size={size!r}"
                )
            fixed = {**_DEFAULTS, **given}
            self.size = ViTSize.parse(source, fixed["head_dim"])
            self.image_shape = tuple(int(side) for side in image_shape or (224, 224, 3))
        else:
            if given:
                raise ValueError(
                    "With a template as `source`, what it fixes cannot be chosen. "
                    f"Received: {', '.join(f'`{name}`' for name in given)}"
                )
            if layer_scale is not None and not template.layer_scale:
                raise ValueError(
                    "`layer_scale` must be None: the template was trained without. "
                    f"Received: {layer_scale!r}"
                )
            if template.layer_scale:
                layer_scale = 1.0  # any value: the template's own are loaded
            template = template.resize(size or template.size, image_shape)
            fixed = {name: getattr(template, name) for name in _DEFAULTS if name != "head_dim"}
            fixed["head_dim"] = template.size.head_dim
            self.size = template.size
            self.image_shape = template.image_shape
        self.source = str(self.size)
        for name, value in fixed.items():
            setattr(self, name, value)
        self.ranks = choose_ranks(self.size, self.ranks)
        self.train_core = template is None if train_core is None else train_core
        if subnetwork_rate is None:
            subnetwork_rate = 0.4 if template is None and not drop_path else 0.0
        if not 0.0 <= subnetwork_rate <= 1.0:
            raise ValueError(
                f"`subnetwork_rate` must be between 0 and 1. Received: {subnetwork_rate!r}"
            )
        if subnetwork_rate and drop_path:
            # The branches of a compiled step cannot hand out new random states.
            raise ValueError(
                "`drop_path` must be 0 where sub-networks are drawn. "
                f"Received: drop_path={drop_path}, subnetwork_rate={subnetwork_rate}"
            )
        self.subnetworks = subnetworks if isinstance(subnetworks, str) else tuple(subnetworks)
        self.subnetwork_rate = subnetwork_rate
        self.draws_subnetworks = True  # not in the first epochs: see `LateSubnetworks`
        self.drop_path = drop_path
        self.layer_scale = layer_scale
        self.tokens = tokens
        self.seed = seed
        self._make_layers()
        if template is not None:
            # Built here: within a model, Keras may build in a scope that forgets assignments.
            self.build()
            self.load_template(template)

    def _make_layers(self):
        size, policy = self.size, self.dtype_policy
        self.patches = PatchEmbedding(
            size.embed_dim,
            self.image_shape,
            self.patch_size,
            class_token=self.class_token,
            positions=self.positions,
            pixel_mean=self.pixel_mean,
            pixel_std=self.pixel_std,
            name="patches",
            dtype=policy,
        )
        self.pixel_mean, self.pixel_std = self.patches.pixel_mean, self.patches.pixel_std
        self.kernels = TuckerTemplate(
            size.depth,
            size.num_heads,
            size.head_dim,
            self.ranks,
            tokens=self.tokens,
            train_core=self.train_core,
            name="kernels",
            dtype=policy,
        )
        self.blocks = block_stack(
            size,
            own_kernels=False,
            drop_path=self.drop_path,
            layer_scale=self.layer_scale,
            dtype=policy,
        )
        self.final_norm = NestedLayerNormalization(name="final_norm", dtype=policy)
        self.subnetwork_sizes = choose_subnetworks(size, self.subnetworks)
        self.seed_generator = keras.random.SeedGenerator(self.seed)

    @property
    def embed_dim(self) -> int:
        """Channels of a token, D."""
        return self.size.embed_dim

    def build(self, input_shape=None):
        tokens = (None, self.patches.num_patches, self.embed_dim)
        self.patches.build((None, *self.image_shape))
        self.kernels.build()
        for block in self.blocks:
            block.build(tokens)
        self.final_norm.build(tokens)

    def call(self, images, heads=None, training=None):
        return self.encode(self.patches.patchify(images), None, heads, training)

    def encode(self, patches, order=None, heads=None, training=None):
        """Encodes patches, some of those of an image or all.

        Args:
            patches: Normalised pixels (B, n, patch^2 * channels).
            order: (B, n) integers, which patches of the image; by default all, as they lie.
            heads: See the call arguments.
            training: See the call arguments.

        Returns:
            Tokens (B, n, D), with a class token (B, 1 + n, D).
        """
        positions = self.patches.positions_of(order)
        drawing = self.subnetwork_rate and self.subnetwork_sizes and self.draws_subnetworks
        if heads is not None or not (training and drawing):
            return self._run(patches, positions, heads, None, training)
        batch = ops.shape(patches)[0]
        share = self.subnetwork_rate
        if isinstance(batch, int):
            whole = max(1, batch - round(share * batch))
        else:  # in a TensorFlow graph
            drawn = ops.cast(ops.round(share * ops.cast(batch, "float32")), "int32")
            whole = ops.maximum(1, batch - drawn)

        def part(rows):
            return patches[rows], positions if len(positions.shape) == 2 else positions[rows]

        branches = [self._branch(size, training) for size in self.subnetwork_sizes]
        return ops.concatenate(
            [
                self._run(*part(slice(None, whole)), None, None, training),
                ops.switch(self.draw(), branches, *part(slice(whole, None))),
            ]
        )

    def draw(self):
        """Draws a sub-network, each as likely: which of `subnetwork_sizes`, an int32 scalar."""
        count = len(self.subnetwork_sizes)
        draw = keras.random.uniform((), seed=self.seed_generator, dtype="float32")
        return ops.minimum(ops.cast(draw * count, "int32"), count - 1)

    def _branch(self, size: ViTSize, training):
        """The network of one size within this one."""
        layers = depth_map(self.size.depth, size.depth).argmax(axis=1).tolist()
        return lambda patches, positions: self._run(
            patches, positions, size.num_heads, layers, training
        )

    def _run(self, patches, positions, heads, layers, training):
        """Only some layers with so many heads; `None` for all."""
        prefix = HeadPrefix(self.size.num_heads, self.size.head_dim, heads)
        layers = range(self.size.depth) if layers is None else layers
        tokens = self.patches.embed(patches, positions, prefix)
        for layer, projections in zip(
            layers, self.kernels(prefix=prefix, layers=layers), strict=True
        ):
            tokens = self.blocks[layer](
                tokens, projections=projections, prefix=prefix, training=training
            )
        tokens = self.final_norm(tokens, prefix=prefix)
        missing = self.embed_dim - prefix.embed_dim
        return ops.pad(tokens, ((0, 0), (0, 0), (0, missing))) if missing else tokens

    def template(self, record=None) -> SweetTemplate:
        """Its weights as data.

        Args:
            record: How it was trained: any JSON values.
        """
        if not self.built:
            self.build()
        factors = zip(
            self.kernels.variables_of_factors._asdict().items(), self.kernels.scales, strict=True
        )
        arrays = {
            name: to_numpy(variable) * np.float32(scale) for (name, variable), scale in factors
        }
        return SweetTemplate(
            size=self.size,
            image_shape=self.image_shape,
            patch_size=self.patch_size,
            arrays=arrays | read_weights(self),
            class_token=self.class_token,
            positions=self.positions,
            layer_scale=self.layer_scale is not None,
            pixel_mean=self.pixel_mean,
            pixel_std=self.pixel_std,
            record=record or {},
        )

    def load_template(self, template: SweetTemplate) -> None:
        """Takes over the weights of a template of exactly its shapes.

        Raises:
            ValueError: If a shape differs.
        """
        named = self.kernels.variables_of_factors._asdict()
        for (name, variable), scale in zip(named.items(), self.kernels.scales, strict=True):
            variable.assign(template.arrays[name] / np.float32(scale))
        write_weights(self, template.arrays)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.patches.num_patches + self.class_token, self.embed_dim)

    def get_config(self):
        names = (
            "source image_shape patch_size head_dim ranks class_token positions subnetworks "
            "subnetwork_rate train_core drop_path layer_scale pixel_mean pixel_std tokens seed"
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names.split()}}
