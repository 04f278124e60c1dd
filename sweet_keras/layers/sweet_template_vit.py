"""A vision transformer that carries its weight template."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from sweet_keras import backends
from sweet_keras.core.form import FORM, form_of
from sweet_keras.core.resize import depth_map
from sweet_keras.core.size import ViTSize
from sweet_keras.core.subnetworks import choose_subnetworks
from sweet_keras.core.template import SweetTemplate
from sweet_keras.layers.head_prefix import HeadPrefix
from sweet_keras.layers.layer_norm import NestedLayerNormalization
from sweet_keras.layers.modulation import modulate
from sweet_keras.layers.own_rows import count_first_rows
from sweet_keras.layers.patch_embedding import PatchEmbedding
from sweet_keras.layers.stacked_weights import read_weights, to_numpy, write_weights
from sweet_keras.layers.template_vit_options import read_source, read_subnetwork_rate
from sweet_keras.layers.transformer_block import block_stack
from sweet_keras.layers.tucker_template import TuckerTemplate
from sweet_keras.layers.windows import check_whole_grid, check_windows


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
            `ranks`, `class_token`, `positions`, `pixel_mean`, `pixel_std` and what stands after
            `global_blocks`.
        head_dim: Channels of a head.
        ranks: (r1, r2, r3), `"auto"`, or a share (see `sweet_keras.core.ranks`).
        class_token: Whether a class token is put before the patches.
        positions: `"sincos"` (fixed) or `"learned"`; both are nested over widths.
        subnetworks: Smaller networks that are trained as well: sizes such as `"L3H3"`, or
            `"auto"`, `"width"`, `"depth"` (see `sweet_keras.core.subnetworks`).
        subnetwork_rate: Share of a training batch that goes through one of them, drawn anew in each
            step; the rest, at least one image, goes through the whole network. By default 0.4 for a
            new template, and 0 for a network made from one, and with stochastic depth or a window.
        train_core: Whether G is trained. By default it is for a new template, and frozen in a
            network made from one, where the scalers and the rest are fitted.
        drop_path: Stochastic depth, the rate of the last layer; it grows linearly from 0.
        layer_scale: Initial value of a learned scale of each branch, or `None`.
        pixel_mean: Subtracted from the pixels (0..255), one number or one for each channel.
        pixel_std: Divides the pixels after that.
        tokens: Tokens in a training step, to choose how W is used (see `TuckerTemplate`).
        seed: Seed of the sub-networks drawn.
        window: Side of the windows, in tokens, that most blocks attend in, or `None`. The weights
            are the same (see `sweet_keras.layers.windows`).
        global_blocks: With a window: blocks, evenly spaced, that attend to everything.
        register_tokens: Learned tokens after the class token, 0 by default.
        norm_epsilon: Of all LayerNorms, 1e-6 by default.
        mlp_ratio: Width of the MLP over D, 4 by default.
        activation: Of the MLP, `"gelu"` (exact, the default) or `"gelu_tanh"`.

    Call arguments:
        images: (B, height, width, channels), pixels in 0..255, of any type.
        heads: Narrow to so many heads: an integer cuts, an integer tensor masks.
        training: Whether sub-networks are drawn and branches dropped.

    Returns:
        Tokens (B, N, D): class token and registers, if there are, then the patches. Those of a
        narrow network are zero beyond its channels.

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
        window: int | None = None,
        global_blocks: int = 4,
        register_tokens: int | None = None,
        norm_epsilon: float | None = None,
        mlp_ratio: int | None = None,
        activation: str | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        template, options = read_source(
            source,
            size,
            image_shape,
            layer_scale,
            patch_size=patch_size,
            head_dim=head_dim,
            ranks=ranks,
            class_token=class_token,
            positions=positions,
            pixel_mean=pixel_mean,
            pixel_std=pixel_std,
            register_tokens=register_tokens,
            norm_epsilon=norm_epsilon,
            mlp_ratio=mlp_ratio,
            activation=activation,
        )
        for name, value in options.items():
            setattr(self, name, value)
        check_windows(window, global_blocks, self.class_token + self.register_tokens)
        self.source = str(self.size)
        self.train_core = template is None if train_core is None else train_core
        self.subnetwork_rate = read_subnetwork_rate(
            subnetwork_rate, template is None, drop_path, window
        )
        self.subnetworks = subnetworks if isinstance(subnetworks, str) else tuple(subnetworks)
        self.draws_subnetworks = True  # not in the first epochs: see `LateSubnetworks`
        self.drop_path = drop_path
        self.tokens = tokens
        self.seed = seed
        self.window = window
        self.global_blocks = global_blocks
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
            register_tokens=self.register_tokens,
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
            mlp_ratio=self.mlp_ratio,
            name="kernels",
            dtype=policy,
        )
        self.blocks = block_stack(
            size,
            own_kernels=False,
            drop_path=self.drop_path,
            layer_scale=self.layer_scale,
            grid=self.patches.grid,
            window=self.window,
            global_blocks=self.global_blocks,
            norm_epsilon=self.norm_epsilon,
            mlp_ratio=self.mlp_ratio,
            activation=self.activation,
            dtype=policy,
        )
        self.final_norm = NestedLayerNormalization(
            self.norm_epsilon, name="final_norm", dtype=policy
        )
        self.subnetwork_sizes = choose_subnetworks(size, self.subnetworks)
        self.seed_generator = keras.random.SeedGenerator(self.seed)

    @property
    def embed_dim(self) -> int:
        """Channels of a token, D."""
        return self.size.embed_dim

    @property
    def extra_tokens(self) -> int:
        """Tokens before the patches: the class token and the registers."""
        return self.patches.extra_tokens

    def build(self, input_shape=None):
        tokens = (None, self.patches.num_patches, self.embed_dim)
        self.patches.build((None, *self.image_shape))
        self.kernels.build()
        for block in self.blocks:
            block.build(tokens)
        self.final_norm.build(tokens)

    def call(self, images, heads=None, training=None):
        return self.encode(self.patches.patchify(images), None, heads, training)

    def encode(
        self, patches, order=None, heads=None, training=None, conditioning=None, condition=()
    ):
        """Encodes patches, some of those of an image or all.

        Args:
            patches: Normalised pixels (B, n, patch^2 * channels).
            order: (B, n) integers, which patches of the image; by default all, as they lie.
            heads: See the call arguments.
            training: See the call arguments.
            conditioning: What modulates the blocks (see `Conditioning`), or `None`.
            condition: Tensors (B, ...) that `conditioning` is called with.

        Returns:
            Tokens (B, n, D), class token and registers before them.

        Raises:
            ValueError: If `order` is given in a network with windows: picked patches have no grid.
        """
        check_whole_grid(self.window, order)
        positions = self.patches.positions_of(order)
        drawing = self.subnetwork_rate and self.subnetwork_sizes and self.draws_subnetworks
        if heads is not None or not (training and drawing):
            return self._run(
                heads, None, None, training, conditioning, patches, positions, *condition
            )
        whole = count_first_rows(ops.shape(patches)[0], self.subnetwork_rate)

        def part(rows):
            shared = len(positions.shape) == 2
            cut = [tensor[rows] for tensor in condition]
            return patches[rows], positions if shared else positions[rows], *cut

        # Once for both: a sub-network has some of the layers, and the first channels.
        built = self.kernels()
        branches = [
            self._branch(size, built, training, conditioning) for size in self.subnetwork_sizes
        ]
        return ops.concatenate(
            [
                self._run(None, None, built, training, conditioning, *part(slice(None, whole))),
                backends.current().switch.switch(self.draw(), branches, *part(slice(whole, None))),
            ]
        )

    def draw(self):
        """Draws a sub-network, each as likely: which of `subnetwork_sizes`, an integer."""
        return backends.current().switch.draw(len(self.subnetwork_sizes), self.seed_generator)

    def _branch(self, size: ViTSize, built, training, conditioning):
        """The network of one size within this one."""
        layers = depth_map(self.size.depth, size.depth).argmax(axis=1).tolist()
        return lambda *inputs: self._run(
            size.num_heads, layers, built, training, conditioning, *inputs
        )

    def _run(self, heads, layers, built, training, conditioning, patches, positions, *condition):
        """Only some layers with so many heads, `None` for all; `built`: projections of all."""
        prefix = HeadPrefix(self.size.num_heads, self.size.head_dim, heads)
        layers = range(self.size.depth) if layers is None else layers
        modulations, final = modulate(conditioning, condition, prefix, layers)
        tokens = self.patches.embed(patches, positions, prefix)
        if built is None:
            chosen = self.kernels(prefix=prefix, layers=layers)
        else:
            chosen = [built[layer].narrow(prefix.embed_dim) for layer in layers]
        for layer, projections, modulation in zip(layers, chosen, modulations, strict=True):
            tokens = self.blocks[layer].call(  # see `TransformerBlock`
                tokens,
                projections=projections,
                prefix=prefix,
                modulation=modulation,
                training=training,
            )
        tokens = self.final_norm.call(tokens, prefix, final)
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
            **form_of(self),
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
        return (input_shape[0], self.patches.num_patches + self.extra_tokens, self.embed_dim)

    def get_config(self):
        names = (
            "source image_shape patch_size head_dim ranks class_token positions subnetworks "
            "subnetwork_rate train_core drop_path layer_scale pixel_mean pixel_std tokens seed "
            "window global_blocks"
        )
        names = (*names.split(), *FORM)
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
