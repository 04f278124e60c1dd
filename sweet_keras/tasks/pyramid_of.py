"""The network of this package within a model of another library, and the names of its classes."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from sweet_keras.models.encoder_pyramid import EncoderPyramid


def pyramid_of(model: keras.Model) -> EncoderPyramid | None:
    """Finds the pyramid that a detector or segmenter stands on.

    Args:
        model: Of keras-cv or KerasHub; KerasHub puts a backbone of its own between.

    Returns:
        The pyramid, or None if the model has none.
    """
    inner = model
    while inner is not None and not isinstance(inner, EncoderPyramid):
        inner = getattr(inner, "backbone", None) or getattr(inner, "image_encoder", None)
    return inner


def class_names_of(model: keras.Model) -> tuple[str, ...] | None:
    """Names of the classes that a classifier, detector or segmenter tells apart.

    They are saved with it, and stand in the order of the numbers it predicts.

    Args:
        model: An `ImageClassifier`, or what `image_detector` or `image_segmenter` made.

    Returns:
        The names, or None if the model was made without.

    Example:
        ```python
        model = keras.saving.load_model("detector.keras")
        names = sk.class_names_of(model)
        [names[number] for number in found["classes"]]  # ["dog", ...]
        ```
    """
    holder = model if hasattr(model, "class_names") else pyramid_of(model)
    names: Sequence[str] | None = getattr(holder, "class_names", None)
    return None if names is None else tuple(names)
