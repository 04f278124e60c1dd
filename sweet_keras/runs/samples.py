"""Images that a generator makes, kept for the report."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from sweet_keras.core.atomic import atomic_write

if TYPE_CHECKING:
    from sweet_keras.models.image_generator import ImageGenerator

_MOST_CLASSES = 12


def save_samples(
    generator: ImageGenerator,
    path: str | os.PathLike,
    seed: int,
    count: int = 8,
    **sampling: Any,
) -> None:
    """Writes some images of each class; of many classes evenly spaced ones.

    Args:
        generator: A trained generator.
        path: The file, `.npz`: `images`, uint8 (n, height, width, channels), and `labels`, (n,).
        seed: Of the noise.
        count: Images of a class.
        **sampling: Further arguments of `ImageGenerator.generate`.
    """
    shown = np.arange(generator.classes)
    if len(shown) > _MOST_CLASSES:
        shown = np.linspace(0, len(shown) - 1, _MOST_CLASSES).round().astype(int)
    labels = np.repeat(shown, count)
    images = generator.generate(labels, seed=seed, **sampling)
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, images=images, labels=labels)


def load_samples(path: str | os.PathLike) -> tuple[np.ndarray, np.ndarray]:
    """Reads what `save_samples` wrote.

    Returns:
        Images and labels.

    Raises:
        ValueError: If an array is missing or does not fit the other.
    """
    with np.load(path, allow_pickle=False) as file:
        missing = {"images", "labels"} - set(file.files)
        images, labels = (np.zeros(0), np.zeros(0)) if missing else (file["images"], file["labels"])
    fits = images.ndim == 4 and images.dtype == np.uint8 and labels.shape == images.shape[:1]
    if not fits or labels.dtype.kind not in "iu" or not len(labels):
        raise ValueError(
            "Expected uint8 images (n, height, width, channels) and their labels (n,). "
            f"Received: {path} with {images.dtype} {images.shape} and {labels.dtype} {labels.shape}"
        )
    return images, labels
