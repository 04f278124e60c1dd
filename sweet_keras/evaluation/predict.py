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
    head = head_of(model)
    if head is None:
        raise ValueError(
            "`model` must be a detector or a segmenter of keras-cv or KerasHub. "
            f"Received: a {type(model).__name__}"
        )
    height, width, channels = model.inputs[0].shape[1:]
    for first in range(0, len(source), batch_size):
        batch = np.zeros((batch_size, height, width, channels), "uint8")
        places = []
        for row in range(min(batch_size, len(source) - first)):
            image = source[first + row]["image"]
            places.append(letterbox(image.shape[:2], (height, width)))
            batch[row] = places[-1].draw_image(image)
        # Not `predict_on_batch`: with it keras-cv takes the batch for an image.
        predicted = model.predict(batch, batch_size=batch_size, verbose=0)
        if head.task == "segment":
            for place, scores in zip(places, predicted, strict=False):
                yield place.map_to_image(scores).argmax(axis=-1).astype("uint8")
        else:
            for place, found in zip(places, head.detections(predicted), strict=False):
                # On the picture only: what is seen in the padding is no detection.
                boxes = place.boxes_to_image(found["boxes"])
                kept = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
                yield {
                    "boxes": boxes[kept],
                    "classes": found["classes"][kept],
                    "scores": found["scores"][kept],
                }
        if progress is not None:
            progress(first + len(places), len(source))
