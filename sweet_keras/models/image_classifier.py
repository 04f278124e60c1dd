"""A classifier on top of a vision transformer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from sweet_keras.layers.own_rows import OwnRowsDropout
from sweet_keras.models.known_arguments import refuse_unknown
from sweet_keras.models.pixel_range import warn_unless_pixels
from sweet_keras.models.portable_compile_config import portable_compile_config
from sweet_keras.models.repeated_steps import RepeatedSteps

POOLING = ("mean", "token")


@keras.saving.register_keras_serializable("sweet_keras")
class ImageClassifier(RepeatedSteps, keras.Model):
    """Pools the tokens of a backbone and maps them to classes.

    Args:
        backbone: Anything that maps images to tokens (B, N, D) and says its `image_shape`: a
            `ViTBackbone`, or a `SweetTemplateViT`.
        classes: Number of classes.
        pooling: `"mean"` over the patches, or `"token"`, the class token.
        dropout: Rate of the dropout before the last layer.
        class_names: Names of the classes, kept with the model.

    Call arguments:
        images: (B, height, width, channels), pixels in 0..255.

    Returns:
        Logits (B, classes).

    Raises:
        ValueError: If `pooling` is unknown or needs a class token that is not there, or the names
            are not one for each class.
    """

    def __init__(
        self,
        backbone: Any,
        classes: int,
        pooling: str = "mean",
        dropout: float = 0.0,
        class_names: Sequence[str] | None = None,
        dtype=None,
        **kwargs,
    ):
        refuse_unknown(kwargs, "ImageClassifier")
        class_token = bool(backbone.class_token)
        if pooling not in POOLING or (pooling == "token" and not class_token):
            raise ValueError(
                "`pooling` must be 'mean', or 'token' with a backbone that has a class token. "
                f"Received: {pooling!r}, class_token={class_token}"
            )
        if class_names is not None and len(class_names) != classes:
            raise ValueError(
                f"`class_names` must be {classes} names. Received: {tuple(class_names)}"
            )
        dtype = backbone.dtype_policy if dtype is None else dtype
        images = keras.Input(backbone.image_shape, name="images")
        tokens = backbone(images)
        if pooling == "token":
            features = tokens[:, 0]
        else:
            features = keras.layers.GlobalAveragePooling1D(name="pool", dtype=dtype)(
                tokens[:, backbone.extra_tokens :] if backbone.extra_tokens else tokens
            )
        features = OwnRowsDropout(dropout, name="dropout", dtype=dtype)(features)
        logits = keras.layers.Dense(classes, name="logits", dtype="float32")(features)
        super().__init__(images, logits, **kwargs)
        self.dtype_policy = keras.dtype_policies.get(dtype)  # functional models do not take it
        self.backbone = backbone
        self.classes = classes
        self.pooling = pooling
        self.dropout = dropout
        self.class_names = None if class_names is None else tuple(class_names)

    def compile(self, optimizer="adamw", loss=None, metrics=("accuracy",), **kwargs):
        """As `keras.Model.compile`; by default cross-entropy from logits with integer labels."""
        super().compile(
            optimizer=optimizer,
            loss=loss or keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=list(metrics) if metrics else None,
            **kwargs,
        )

    def fit(self, x=None, *args, **kwargs):
        warn_unless_pixels(x)
        return super().fit(x, *args, **kwargs)

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    def get_compile_config(self):
        return portable_compile_config(super().get_compile_config())

    def get_config(self):
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "classes": self.classes,
            "pooling": self.pooling,
            "dropout": self.dropout,
            "class_names": self.class_names,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        backbone = keras.saving.deserialize_keras_object(
            config["backbone"], custom_objects=custom_objects
        )
        return cls(**{**config, "backbone": backbone})
