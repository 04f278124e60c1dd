"""Composed scenes as a COCO dataset on the disk."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sweet_keras.core.atomic import atomic_write
from sweet_keras.data.compose_scenes import Scene, SceneOptions, compose_scene


def write_scenes(
    folder: str | os.PathLike[str],
    objects: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    split: str,
    count: int,
    seed: int = 0,
    options: SceneOptions | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Composes scenes and writes them as one split of a COCO dataset.

    Writes `<split>/000001.png` and so on, gray, and
    `annotations/instances_<split>.json` with boxes and masks. Images, objects
    and categories are numbered from 1, so that class 0 is category 1. The
    split is there as a whole or not at all.

    Args:
        folder: Where to; made if it is not there.
        objects: uint8 `(records, side, side)`, each one object on black; see
            `compose_scene`.
        labels: Integers `(records,)`, the class of each.
        classes: Names of the classes in the order of the labels.
        split: Name of the split, a file name.
        count: Number of scenes.
        seed: Whole number; another one gives other scenes.
        options: What scenes look like; `None` takes the defaults.
        progress: Called with the number of scenes done and of all.

    Raises:
        ValueError: If the split is there already, or the objects, labels and
            classes do not fit each other.

    Example:
        ```python
        (x_train, y_train), (x_test, y_test) = fashion_mnist()
        write_scenes("scenes", x_train[..., 0], y_train, FASHION_MNIST_CLASSES, "train", 4000)
        write_scenes("scenes", x_test[..., 0], y_test, FASHION_MNIST_CLASSES, "test", 1000)
        ```
    """
    labels = _checked_labels(labels, len(objects), len(classes))
    if Path(split).name != split or split in ("", "..", "annotations") or count < 1:
        raise ValueError(
            '`split` must be a file name, not "annotations", and `count` positive. '
            f"Received: split={split!r}, count={count}"
        )
    folder = Path(folder)
    pictures = folder / split
    annotations = folder / "annotations" / f"instances_{split}.json"
    for path in (pictures, annotations):
        if path.exists():
            raise ValueError(f"`folder` must not have the split {split!r} yet. Received: {path}")
    annotations.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=folder, prefix=f".{split}-"))
    try:
        dataset: dict[str, list[dict[str, Any]]] = {"images": [], "annotations": []}
        dataset["categories"] = [
            {"id": number, "name": name, "supercategory": "object"}
            for number, name in enumerate(classes, start=1)
        ]
        for index in range(count):
            scene = compose_scene(objects, index, split, seed, options)
            _add_scene(dataset, scene, labels[scene.objects], unfinished)
            if progress is not None:
                progress(index + 1, count)
        unfinished.chmod(annotations.parent.stat().st_mode)  # mkdtemp's are for the owner alone
        with atomic_write(annotations) as path:
            path.write_text(json.dumps(dataset, separators=(",", ":")), encoding="utf-8")
            unfinished.rename(pictures)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def run_lengths(mask: np.ndarray) -> list[int]:
    """Counts how many pixels in turn are out of a mask and in it, as COCO does.

    Args:
        mask: bool `(height, width)`.

    Returns:
        Lengths of the runs in the order of the columns, top to bottom; the
        first is of pixels out of the mask, and may be 0.
    """
    pixels = mask.ravel(order="F")
    changes = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    edges = [0, *changes.tolist(), pixels.size]
    runs = [end - start for start, end in itertools.pairwise(edges)]
    return [0, *runs] if pixels[0] else runs


def _add_scene(
    dataset: dict[str, list[dict[str, Any]]], scene: Scene, labels: np.ndarray, folder: Path
) -> None:
    """Writes the picture of a scene and lists what is in it."""
    from PIL import Image

    image_id = len(dataset["images"]) + 1
    file_name = f"{image_id:06d}.png"
    Image.fromarray(scene.image).save(folder / file_name)
    height, width = scene.image.shape
    dataset["images"].append(
        {"id": image_id, "file_name": file_name, "width": width, "height": height}
    )
    for mask, label, (left, top, right, bottom) in zip(
        scene.masks, labels.tolist(), scene.boxes.tolist(), strict=True
    ):
        dataset["annotations"].append(
            {
                "id": len(dataset["annotations"]) + 1,
                "image_id": image_id,
                "category_id": label + 1,
                "bbox": [left, top, right - left, bottom - top],
                "area": int(mask.sum()),
                "iscrowd": 0,
                "segmentation": {"size": [height, width], "counts": run_lengths(mask)},
            }
        )


def _checked_labels(labels: np.ndarray, objects: int, classes: int) -> np.ndarray:
    array = np.asarray(labels)
    if array.shape != (objects,) or array.dtype.kind not in "iu":
        raise ValueError(
            f"`labels` must be {objects} integers, one for each object. "
            f"Received: labels of shape {array.shape} and dtype {array.dtype}"
        )
    if array.size and (array.min() < 0 or array.max() >= classes):
        raise ValueError(
            f"`labels` must be in [0, {classes}). "
            f"Received: labels from {array.min()} to {array.max()}"
        )
    return array
