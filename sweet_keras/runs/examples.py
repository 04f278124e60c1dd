"""Test images with what was found in them, kept for the report."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from sweet_keras.core.atomic import atomic_write
from sweet_keras.data import AnnotatedSource, Subset, letterbox

if TYPE_CHECKING:
    import keras

_LEAST_SCORE = 0.3  # of boxes that are shown; evaluation counts far less certain ones


def save_examples(
    model: keras.Model,
    source: AnnotatedSource,
    image_shape: tuple[int, int, int],
    path: str | os.PathLike,
    count: int = 8,
) -> None:
    """Writes images laid into the size a detector or segmenter takes, with truth and prediction.

    Args:
        model: A detector or segmenter.
        source: Annotated images; some are picked, evenly spaced.
        image_shape: (height, width, channels) the model takes.
        path: The file, `.npz`: `images` uint8 (count, height, width, channels); of a detector
            `true` and `found`, float32 (count, n, 6): xyxy in pixels, class, score, padded with
            -1; of a segmenter `true` and `found`, uint8 (count, height, width).
        count: Number of images.
    """
    from sweet_keras.evaluation.predict import predict_records

    count = min(count, len(source))
    few = Subset(source, ((np.arange(count) + 0.5) * len(source) / count).astype(int))
    images, true, found = [], [], []
    # In batches as large as those of measuring: at another size TensorFlow traces the prediction
    # for any size, which KerasHub's suppression of boxes cannot do.
    for record, predicted in predict_records(model, few):
        place = letterbox(record["image"].shape[:2], image_shape[:2])
        images.append(place.draw_image(record["image"]))
        if isinstance(predicted, dict):
            scores = np.ones(len(record["boxes"]), "float32")
            true.append(_rows(place, record["boxes"], record["classes"], scores))
            found.append(_rows(place, *(predicted[key] for key in ("boxes", "classes", "scores"))))
        else:
            true.append(place.draw_mask(record["mask"]))
            found.append(place.draw_mask(predicted))
    if images and true[0].dtype != np.uint8:
        true, found = _padded(true), _padded(found)
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file, images=np.stack(images), true=np.stack(true), found=np.stack(found)
        )


def load_examples(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads what `save_examples` wrote.

    Returns:
        `images`, `true` and `found`.

    Raises:
        ValueError: If an array is missing or does not fit the others.
    """
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in ("images", "true", "found")}
    images, true, found = arrays.values()
    masks = images.shape[:3]
    boxes = all(a.ndim == 3 and len(a) == len(images) and a.shape[2] == 6 for a in (true, found))
    if images.ndim != 4 or not (boxes or true.shape == found.shape == masks):
        raise ValueError(
            "Expected images (n, height, width, channels) with boxes (n, k, 6) or masks. "
            f"Received: {path} with {[array.shape for array in arrays.values()]}"
        )
    return arrays


def _rows(place, boxes: np.ndarray, classes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    shown = scores >= _LEAST_SCORE
    columns = (classes[shown, None], scores[shown, None])
    return np.concatenate([place.boxes_to_target(boxes[shown]), *columns], axis=1).astype("float32")


def _padded(arrays: list[np.ndarray]) -> list[np.ndarray]:
    longest = max(1, *map(len, arrays))
    return [
        np.pad(array, ((0, longest - len(array)), (0, 0)), constant_values=-1) for array in arrays
    ]
