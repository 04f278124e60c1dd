"""A segmenter of images on a vision transformer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from sweet_keras.tasks.choose_head import choose_head
from sweet_keras.tasks.make_model import make_model


def image_segmenter(
    vit: Any,
    classes: int | Sequence[str],
    *,
    head: str = "segformer",
    library: str | None = None,
    image_shape: Sequence[int] | None = None,
    channels: int = 256,
    window: int | None = None,
    global_blocks: int = 4,
    optimizer: Any = "adamw",
) -> keras.Model:
    """Makes a semantic segmenter of keras-cv or KerasHub, compiled and ready to be trained.

    It learns from batches of `sweet_keras.data.annotated_pipeline(..., task="segment")`: images
    and a class for each pixel, 255 where none counts. It is a model of that library in every
    respect: build it yourself from `sweet_keras.cv.pyramid` or `sweet_keras.hub.pyramid` for other
    choices.

    Args:
        vit: A `ViTBackbone` or a `SweetTemplateViT`; a copy of it becomes part of the segmenter.
        classes: Number of classes, a background that is a class included, or their names, which are
            saved with the segmenter; see `sweet_keras.class_names_of`.
        head: `"segformer"` or `"deeplab"` (DeepLabV3+).
        library: `"keras_cv"` or `"keras_hub"`; by default the one that is installed, KerasHub if
            both are.
        image_shape: (height, width, channels) in pixels, by default those of `vit`; positions are
            interpolated.
        channels: Channels of the feature pyramid.
        window: Side of the windows that attention is limited to, in patches, or None.
        global_blocks: Blocks that attend to the whole image nevertheless.
        optimizer: As `compile` takes it.

    Returns:
        A compiled `keras.Model`: images (B, height, width, channels) to (B, height, width,
        classes), probabilities with keras-cv and logits with KerasHub.

    Raises:
        ValueError: If an argument does not fit.
        ImportError: If no library with such a model is installed.

    Example:
    ```python
    segmenter = sk.image_segmenter(vit, classes=21, image_shape=(512, 512, 3))
    masks = segmenter.predict(images).argmax(axis=-1)
    ```
    """
    return make_model(
        choose_head("segment", head, library),
        vit,
        classes,
        optimizer=optimizer,
        image_shape=image_shape,
        channels=channels,
        window=window,
        global_blocks=global_blocks,
    )
