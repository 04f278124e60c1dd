"""An object detector on a vision transformer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from sweet_keras.tasks.choose_head import choose_head
from sweet_keras.tasks.make_model import make_model


def image_detector(
    vit: Any,
    classes: int | Sequence[str],
    *,
    head: str = "retinanet",
    library: str | None = None,
    image_shape: Sequence[int] | None = None,
    channels: int = 256,
    window: int | None = None,
    global_blocks: int = 4,
    optimizer: Any = "adamw",
    **options: Any,
) -> keras.Model:
    """Makes a detector of keras-cv or KerasHub, compiled and ready to be trained.

    It learns from batches of `sweet_keras.data.annotated_pipeline` and is a model of that library
    in every respect: build it yourself from `sweet_keras.cv.pyramid` or `sweet_keras.hub.pyramid`
    for other choices.

    Args:
        vit: A `ViTBackbone` or a `SweetTemplateViT`; a copy of it becomes part of the detector.
        classes: Number of classes, or their names, which are saved with the detector; see
            `sweet_keras.class_names_of`.
        head: `"retinanet"`, or `"yolov8"` of keras-cv.
        library: `"keras_cv"` or `"keras_hub"`; by default the one that is installed, KerasHub if
            both are and it has the model.
        image_shape: (height, width, channels) in pixels, by default those of `vit`; positions are
            interpolated.
        channels: Channels of the feature pyramid.
        window: Side of the windows that attention is limited to, in patches, or None.
        global_blocks: Blocks that attend to the whole image nevertheless.
        optimizer: As `compile` takes it.
        **options: `anchor_size` of a RetinaNet: side of the smallest anchor of a level, in strides
            of that level (4.0). Objects are found from about 0.7 times the smallest anchor on,
            which is `8 * anchor_size` pixels.

    Returns:
        A compiled `keras.Model`. Boxes are xyxy in pixels, of targets and predictions.

    Raises:
        ValueError: If an argument does not fit.
        ImportError: If no library with such a model is installed.

    Example:
    ```python
    detector = sk.image_detector(vit, classes=20, image_shape=(512, 512, 3), library="keras_cv")
    batches = sk.data.annotated_pipeline(source, 16, image_shape=(512, 512, 3), task="detect")
    detector.fit(batches, ...)  # of KerasHub: annotated_pipeline(..., label_key="labels")
    ```
    """
    return make_model(
        choose_head("detect", head, library),
        vit,
        classes,
        optimizer=optimizer,
        options=options,
        image_shape=image_shape,
        channels=channels,
        window=window,
        global_blocks=global_blocks,
    )
