"""Masked autoencoder: how a template is learned without labels."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
from keras import ops

from sweet_keras import backends
from sweet_keras.core.size import ViTSize
from sweet_keras.core.template import SweetTemplate
from sweet_keras.layers.mae_decoder import MAEDecoder
from sweet_keras.layers.own_rows import draw_rows
from sweet_keras.layers.sweet_template_vit import SweetTemplateViT
from sweet_keras.models.generated_vit import GeneratedViT
from sweet_keras.models.pixel_range import warn_unless_pixels
from sweet_keras.models.portable_compile_config import portable_compile_config
from sweet_keras.models.repeated_steps import RepeatedSteps
from sweet_keras.models.vit_backbone import ViTBackbone

# Added to the variance of a patch, in units of `pixel_std` squared. He et al. add 1e-6, which turns
# the noise of one grey level in a flat patch into a target as large as any.
FLAT_VARIANCE = 1e-2


@keras.saving.register_keras_serializable("sweet_keras")
class MaskedAutoencoder(RepeatedSteps, keras.Model):
    """Reconstructs masked patches from the visible ones.

    The loss is the mean squared error on the masked patches, their pixels normalised patch by
    patch (flat patches less, see `FLAT_VARIANCE`). `fit` takes images alone.

    Args:
        encoder: A `SweetTemplateViT`, a `ViTBackbone` to train a plain network that way, or a
            `GeneratedViT` for one under a constraint.
        mask_ratio: Share of the patches that is masked.
        decoder: Size of the decoder, such as `"L2H3"`, its heads as wide as the encoder's. By
            default two layers of half the encoder's heads.
        seed: Seed of the masks.

    Call arguments:
        images: (B, height, width, channels), pixels in 0..255.
        noise: (B, N): the patches with the least noise stay visible. Drawn by default.
        heads: Heads to narrow the encoder to (see `SweetTemplateViT`).
        training: Whether sub-networks are drawn.

    Returns:
        A dictionary of `prediction` and `target`, both (B, masked, P), and `order` (B, N).

    Raises:
        ValueError: If no patch would be visible, or none masked.

    Example:
    ```python
    mae = sk.MaskedAutoencoder(sk.SweetTemplateViT("L12H12"))
    mae.compile(optimizer="adamw")
    mae.fit(images, epochs=100)
    mae.template().save("birds.sweet")
    ```

    Reference:
        He et al., Masked Autoencoders Are Scalable Vision Learners, 2111.06377.
    """

    def __init__(
        self,
        encoder: SweetTemplateViT | ViTBackbone | GeneratedViT,
        *,
        mask_ratio: float = 0.75,
        decoder: str | ViTSize | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        kwargs.setdefault("dtype", encoder.dtype_policy)
        super().__init__(**kwargs)
        patches = encoder.patches
        self.visible = round(patches.num_patches * (1 - mask_ratio))
        if not 0 < self.visible < patches.num_patches:
            raise ValueError(
                "`mask_ratio` must leave at least one patch visible and one masked of "
                f"{patches.num_patches}. Received: {mask_ratio!r}"
            )
        if decoder is None:
            decoder = ViTSize(2, max(1, encoder.size.num_heads // 2), encoder.head_dim)
        self.encoder = encoder
        self.mask_ratio = mask_ratio
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.decoder_layer = MAEDecoder(
            decoder,
            encoder.head_dim,
            encoder.embed_dim,
            patches.grid,
            patches.patch_size**2 * encoder.image_shape[2],
            name="decoder",
            dtype=self.dtype_policy,
        )
        self.decoder = self.decoder_layer.size

    @classmethod
    def from_template(
        cls, template: SweetTemplate, encoder: SweetTemplateViT | None = None, **kwargs
    ) -> MaskedAutoencoder:
        """Goes on from a template, its decoder included if it was kept.

        Args:
            template: The template; its size and image shape are those of the network.
            encoder: A `SweetTemplateViT` made from it, if its options matter.
            **kwargs: See the constructor.
        """
        if template.decoder is not None:
            kwargs.setdefault("decoder", str(template.decoder))
        mae = cls(encoder or SweetTemplateViT(template), **kwargs)
        mae.build()
        if template.decoder is not None and mae.decoder_layer.vit_size == template.decoder:
            mae.decoder_layer.load_arrays(template.arrays)
        return mae

    def build(self, input_shape=None):
        if not self.encoder.built:
            self.encoder.build()
            self.encoder.built = True
        self.decoder_layer.build()
        self.decoder_layer.built = True
        self.built = True

    def call(self, images, noise=None, heads=None, training=None):
        embedding = self.encoder.patches
        patches = embedding.patchify(images)
        if noise is None:
            shape = (ops.shape(patches)[0], embedding.num_patches)
            noise = draw_rows(keras.random.uniform, shape, self.seed_generator)
        order = ops.argsort(noise, axis=1)
        # Pixels and fixed positions are shuffled, not tokens: a gather without a gradient.
        patches = backends.current().gather.gather_tokens(patches, order)
        visible, masked = patches[:, : self.visible], patches[:, self.visible :]
        tokens = self.encoder.encode(visible, order[:, : self.visible], heads, training)
        prediction = self.decoder_layer(
            tokens, order=order, masked=masked.shape[1], training=training
        )
        mean, deviation = _moments(masked)
        return {
            "prediction": ops.cast(prediction, "float32"),
            "target": (masked - mean) / deviation,
            "order": order,
        }

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        # A loss of Keras, not a mean of ours: on TensorFlow it counts for one device of several.
        return keras.losses.MeanSquaredError()(y_pred["target"], y_pred["prediction"])

    def fit(self, x=None, *args, **kwargs):
        warn_unless_pixels(x)
        return super().fit(x, *args, **kwargs)

    def reconstruct(self, images, noise=None, heads=None):
        """Shows what the model sees and what it makes of it.

        Args:
            images: (B, height, width, channels), pixels in 0..255.
            noise: (B, N), see the call arguments.
            heads: Heads to narrow the encoder to.

        Returns:
            A dictionary of float32 arrays shaped like `images`, pixels in 0..255: `masked`, the
            hidden patches mid-grey, and `reconstructed`, in which each hidden patch is the
            prediction brought back to the mean and deviation of the true patch.
        """
        if not self.built:
            self.build()
        embedding = self.encoder.patches
        outputs = self(images, noise=noise, heads=heads, training=False)
        order = outputs["order"]
        gather = backends.current().gather.gather_tokens
        patches = gather(embedding.patchify(images), order)
        visible, hidden = patches[:, : self.visible], patches[:, self.visible :]
        mean, deviation = _moments(hidden)
        back = ops.argsort(order, axis=1)

        def assemble(filling):
            whole = ops.concatenate([visible, filling], axis=1)
            pixels = embedding.unpatchify(gather(whole, back))
            return np.array(ops.convert_to_numpy(pixels))

        return {
            "masked": assemble(ops.zeros_like(hidden)),
            "reconstructed": assemble(outputs["prediction"] * deviation + mean),
        }

    def template(self, record=None) -> SweetTemplate:
        """The encoder's template with the decoder, as data.

        Args:
            record: How it was trained: any JSON values.

        Raises:
            ValueError: If the encoder is a plain network.
        """
        if not isinstance(self.encoder, SweetTemplateViT):
            raise ValueError(
                "A template needs a SweetTemplateViT as `encoder`. "
                f"Received: {type(self.encoder).__name__}"
            )
        if not self.built:
            self.build()
        template = self.encoder.template(record)
        arrays = {**template.arrays, **self.decoder_layer.arrays()}
        return dataclasses.replace(template, arrays=arrays, decoder=self.decoder_layer.vit_size)

    def get_compile_config(self):
        return portable_compile_config(super().get_compile_config())

    def get_config(self):
        return {
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "mask_ratio": self.mask_ratio,
            "decoder": self.decoder,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        encoder = keras.saving.deserialize_keras_object(
            config["encoder"], custom_objects=custom_objects
        )
        return cls(**{**config, "encoder": encoder})


def _moments(patches):
    """Mean and deviation of each patch, (B, n, 1)."""
    mean = ops.mean(patches, axis=-1, keepdims=True)
    variance = ops.mean(ops.square(patches - mean), axis=-1, keepdims=True)
    return mean, ops.sqrt(variance + FLAT_VARIANCE)
