"""The network in a model that is to be exported, and its head."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np

from sweet_keras.layers.stacked_weights import to_numpy
from sweet_keras.models.image_classifier import ImageClassifier
from sweet_keras.models.vit_backbone import ViTBackbone


class Head(NamedTuple):
    """The last layer of a classifier.

    Attributes:
        kernel: (D, classes).
        bias: (classes,).
        pooling: `"mean"` or `"token"`.
        names: Of the classes, or `None`.
    """

    kernel: np.ndarray
    bias: np.ndarray
    pooling: str
    names: tuple[str, ...] | None

    @property
    def classes(self) -> int:
        """How many."""
        return len(self.bias)


def plain_network(model: Any, window: bool = False) -> tuple[ViTBackbone, Head | None]:
    """Takes a model apart.

    Args:
        model: A `ViTBackbone`, or an `ImageClassifier` of one.
        window: Whether attention in windows can be written.

    Raises:
        ValueError: If it is anything else.
    """
    vit = model.backbone if isinstance(model, ImageClassifier) else model
    if not isinstance(vit, ViTBackbone):
        raise ValueError(
            "`model` must be a ViTBackbone or an ImageClassifier of one; sweet_keras.materialize "
            f"makes one of a template. Received: {type(vit).__name__}"
        )
    if vit.window is not None and not window:
        raise ValueError(
            "`model` must attend to everything: this format has no windows. "
            f"Received: window={vit.window}"
        )
    if vit is model:
        return vit, None
    logits = model.get_layer("logits")
    head = Head(to_numpy(logits.kernel), to_numpy(logits.bias), model.pooling, model.class_names)
    return vit, head


def check_model(model: Any) -> None:
    """Raises ValueError unless `model` is a network of this package."""
    if not isinstance(model, keras.Model) or not hasattr(model, "input_shape"):
        raise ValueError(
            f"`model` must be a ViTBackbone or an ImageClassifier. Received: {type(model).__name__}"
        )


def normalisation(vit: ViTBackbone) -> tuple[list[float], list[float]]:
    """Mean and deviation of pixels in 0..1, one for each channel, as other libraries have it."""
    channels = vit.image_shape[2]
    mean, std = (
        [float(value) / 255 for value in np.broadcast_to(values, channels)]
        for values in (vit.pixel_mean, vit.pixel_std)
    )
    return mean, std


def refuse(library: str, reason: str, received: object) -> ValueError:
    """The error about a network that a library does not have."""
    return ValueError(f"`model` must be one that {library} has: {reason}. Received: {received}")
