"""Features of images, and whether generated ones are of the class that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from sweet_keras.models.image_classifier import ImageClassifier


def classifier_features(classifier: ImageClassifier, batch_size: int = 256) -> Callable:
    """Makes a feature extractor of a classifier trained on the images in question.

    The features are what its last layer sees. Say whose features they are, and the accuracy of the
    classifier, beside every number computed from them; none of them is an "FID".

    Args:
        classifier: Trained.
        batch_size: Images at a time.

    Returns:
        A function of images (n, height, width, channels), pixels in 0..255, that gives their
        features (n, d), float32.
    """
    features = keras.Model(classifier.input, classifier.get_layer("logits").input)

    def extract(images: np.ndarray) -> np.ndarray:
        return np.asarray(features.predict(images, batch_size=batch_size, verbose=0), "float32")

    return extract


def label_agreement(
    classifier: Callable[[np.ndarray], Any] | keras.Model,
    images: np.ndarray,
    labels: Any,
    batch_size: int = 256,
) -> float:
    """Share of the images that a classifier puts into the class that was asked for.

    Args:
        classifier: A Keras model, or a function, from images to scores (n, classes).
        images: (n, height, width, channels), pixels in 0..255.
        labels: (n,) integers.
        batch_size: Images at a time, of a model.

    Raises:
        ValueError: If there is not one label for each image.
    """
    labels = np.asarray(labels)
    if labels.shape != (len(images),) or not len(images):
        raise ValueError(
            f"`labels` must be one for each image. Received: {labels.shape} labels of "
            f"{len(images)} images"
        )
    if isinstance(classifier, keras.Model):
        scores = classifier.predict(images, batch_size=batch_size, verbose=0)
    else:
        scores = classifier(images)
    return float((np.asarray(scores).argmax(axis=-1) == labels).mean())
