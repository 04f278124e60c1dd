"""What the pyramids for keras-cv and KerasHub have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from sweet_keras.models.feature_pyramid import check_channels, check_levels, feature_pyramid
from sweet_keras.models.resized_encoder import resized_encoder


class EncoderPyramid:
    """A functional model of an encoder and a feature pyramid; the other base is a library's.

    Args:
        encoder: A `ViTBackbone` or a `SweetTemplateViT`. It becomes part of the model.
        channels: Of the levels, one number or one for each.
        levels: Ascending; level l has stride `2**l`.
        class_names: Names of the classes of the model that is put on the pyramid, in the order of
            their numbers. They are kept here, and so in its file, since the libraries' own models
            have no place for them.
        dtype: Data type policy of the pyramid; by default the encoder's.

    Call arguments:
        images: (B, height, width, channels), pixels in 0..255.

    Returns:
        `{"P2": (B, height / 4, width / 4, channels), ...}`.

    Attributes:
        encoder: The encoder itself: `encoder.template()` is the template in it, if it has one.
        image_shape: That of the encoder.

    Raises:
        ValueError: If the patch size is no power of two up to 32, or another argument is wrong.
    """

    def __init__(
        self,
        encoder: Any,
        *,
        channels: int | Sequence[int] = 256,
        levels: Sequence[int] = (2, 3, 4, 5),
        class_names: Sequence[str] | None = None,
        dtype=None,
        **kwargs,
    ):
        levels = check_levels(levels)
        widths = check_channels(channels, levels)
        policy = keras.dtype_policies.get(encoder.dtype_policy if dtype is None else dtype)
        images = keras.Input(encoder.image_shape, name="images")
        features = patch_map(encoder, encoder(images), policy)
        pyramid = feature_pyramid(
            features, encoder.patch_size, channels=widths, levels=levels, dtype=policy
        )
        super().__init__(images, pyramid, **kwargs)
        self.dtype_policy = policy  # functional models do not take it
        self.encoder = encoder
        self.channels = channels if isinstance(channels, int) else widths
        self.levels = levels
        self.class_names = None if class_names is None else tuple(class_names)
        self.image_shape = encoder.image_shape

    def get_config(self):
        return {
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "channels": self.channels,
            "levels": self.levels,
            "class_names": self.class_names,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        encoder = keras.saving.deserialize_keras_object(
            config["encoder"], custom_objects=custom_objects
        )
        return cls(**{**config, "encoder": encoder})


def patch_map(encoder: Any, tokens: keras.KerasTensor, dtype: Any = None) -> keras.KerasTensor:
    """Lays the tokens of patches out as a map (B, h, w, D); extra tokens are cut off."""
    if encoder.extra_tokens:
        crop = (encoder.extra_tokens, 0)
        tokens = keras.layers.Cropping1D(crop, name="patch_tokens", dtype=dtype)(tokens)
    height, width, _ = encoder.image_shape
    grid = (height // encoder.patch_size, width // encoder.patch_size)
    return keras.layers.Reshape((*grid, encoder.embed_dim), name="patch_map", dtype=dtype)(tokens)


def own_encoder(
    vit: Any, image_shape: Sequence[int] | None, window: int | None, global_blocks: int
) -> Any:
    """A copy of an encoder for images of a size, by default its own."""
    shape = getattr(vit, "image_shape", None) if image_shape is None else image_shape
    return resized_encoder(vit, shape, window, global_blocks)
