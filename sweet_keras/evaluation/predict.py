"""Predictions for every image of a source, in pixels of the original images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from sweet_keras.data import Source, letterbox
from sweet_keras.tasks.choose_head import head_of


def predict(
    model: keras.Model,
    source: Source,
    batch_size: int = 32,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Any]:
    """Runs a detector or a segmenter on images of any size, laid into the size it takes.

    Args:
        model: Made by `image_detector` or `image_segmenter`, or such a model of keras-cv or
            KerasHub whose boxes are xyxy.
        source: The images.
        batch_size: Images at once; the last batch is filled up, so that one shape is compiled.
        progress: Called with the number of images done and of all.

    Yields:
        For each image, in order: of a detector a mapping with `boxes` (k, 4), xyxy in pixels of
        the original image, `classes` (k,) and `scores` (k,); of a segmenter the class of each
        pixel, uint8 (height, width) of the original image.

    Raises:
        ValueError: If the model is neither.
    """
    for _, predicted in predict_records(model, source, batch_size, progress):
        yield predicted


def predict_records(
    model: keras.Model,
    source: Source,
    batch_size: int = 32,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[dict[str, Any], Any]]:
    """As `predict`, but yields each record of the source, read once, with its prediction."""
    head = head_of(model)
    if head is None:
        raise ValueError(
            "`model` must be a detector or a segmenter of keras-cv or KerasHub. "
            f"Received: a {type(model).__name__}"
        )
    height, width, channels = model.inputs[0].shape[1:]
    for first in range(0, len(source), batch_size):
        batch = np.zeros((batch_size, height, width, channels), "uint8")
        records, places = [], []
        for row in range(min(batch_size, len(source) - first)):
            records.append(source[first + row])
            image = records[-1]["image"]
            places.append(letterbox(image.shape[:2], (height, width)))
            batch[row] = places[-1].draw_image(image)
        # Not `predict_on_batch`: with it keras-cv takes the batch for an image.
        predicted = model.predict(batch, batch_size=batch_size, verbose=0)
        if head.task == "segment":
            for record, place, scores in zip(records, places, predicted, strict=False):
                yield record, place.map_to_image(scores).argmax(axis=-1).astype("uint8")
        else:
            found_in = head.detections(predicted)
            for record, place, found in zip(records, places, found_in, strict=False):
                # On the picture only: what is seen in the padding is no detection.
                boxes = place.boxes_to_image(found["boxes"])
                kept = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
                yield (
                    record,
                    {
                        "boxes": boxes[kept],
                        "classes": found["classes"][kept],
                        "scores": found["scores"][kept],
                    },
                )
        if progress is not None:
            progress(first + len(places), len(source))
