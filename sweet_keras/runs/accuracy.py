"""How much of a labelled source a classifier gets right."""

from collections.abc import Callable

import keras
import numpy as np

from sweet_keras.data import Source, pipeline, steps_per_epoch
from sweet_keras.runs.score import Score


def class_names(source: Source) -> tuple[str, ...]:
    """Returns the names of the classes; their numbers where there are no names.

    Raises:
        ValueError: If the source has no labels.
    """
    if source.labels is None:
        raise ValueError(f"--data must have labels. Received: {source!r} without labels")
    if source.classes is not None:
        return tuple(source.classes)
    return tuple(str(number) for number in range(int(np.max(source.labels)) + 1))


def measure_accuracy(
    model: keras.Model,
    source: Source,
    image_shape: tuple[int, int, int],
    batch_size: int = 256,
    progress: Callable[[int, int], None] | None = None,
) -> Score:
    """Compares the predictions for every image with its label.

    Args:
        model: Maps images (batch, height, width, channels) to logits (batch, classes).
        source: Labelled images.
        image_shape: (height, width, channels) the model takes.
        batch_size: Images at once; the last batch is filled up, so that one shape is compiled.
        progress: Called with the number of batches done and of all.

    Returns:
        The accuracy, in all and of each class of the model.

    Raises:
        ValueError: If there are labels the model has no class for, or no labels at all.
    """
    steps = steps_per_epoch(source, batch_size, drop_remainder=False)
    batches = pipeline(
        source,
        batch_size,
        image_shape=image_shape,
        labels=True,
        shuffle=False,
        repeat=False,
        drop_remainder=False,
    )
    predicted, expected = [], []
    for step, (images, labels) in enumerate(batches):
        count = len(images)
        if count < batch_size:
            filling = np.zeros((batch_size - count, *images.shape[1:]), images.dtype)
            images = np.concatenate([images, filling])
        logits = np.asarray(model.predict_on_batch(images))[:count]
        predicted.append(logits.argmax(axis=-1))
        expected.append(np.asarray(labels))
        if progress is not None:
            progress(step + 1, steps)
    return score(np.concatenate(predicted), np.concatenate(expected), logits.shape[-1])


def score(predicted: np.ndarray, expected: np.ndarray, classes: int) -> Score:
    """Compares predicted with expected classes.

    Args:
        predicted: Integers (images,).
        expected: Integers (images,).
        classes: Number of classes the model knows.

    Raises:
        ValueError: If an expected class is unknown to the model.
    """
    if expected.max() >= classes:
        raise ValueError(
            f"--data must have at most the {classes} classes the model was trained on. "
            f"Received: a label {expected.max()}"
        )
    right = predicted == expected
    counts = np.bincount(expected, minlength=classes)
    hits = np.bincount(expected[right], minlength=classes)
    return Score(
        overall=float(right.mean()),
        by_class=tuple(
            float(hit / count) if count else None for hit, count in zip(hits, counts, strict=True)
        ),
        counts=tuple(int(count) for count in counts),
        images=len(expected),
    )
