"""From arrays of boxes to the annotations that pycocotools reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def true_objects(
    truth: Mapping[str, Any], index: int, classes: int, first_id: int
) -> list[dict[str, Any]]:
    """Checks and lists the true objects of one image.

    Args:
        truth: See `coco_metrics`.
        index: Position of the image, for its number and for messages.
        classes: Number of classes.
        first_id: Number of the first object.

    Returns:
        Annotations as pycocotools wants them, images and classes numbered from 1.

    Raises:
        ValueError: If `truth` is not as `coco_metrics` describes it.
    """
    where = f"truths[{index}]"
    boxes, labels = _boxes_and_classes(truth, where, classes, ("crowd", "areas"))
    crowd = _column(truth["crowd"], f"{where}['crowd']", len(boxes))
    areas = _column(truth["areas"], f"{where}['areas']", len(boxes))
    return [
        {**common, "iscrowd": int(many), "area": float(area)}
        for common, many, area in zip(
            _common(boxes, labels, index, first_id), crowd, areas, strict=True
        )
    ]


def found_objects(
    found: Mapping[str, Any], index: int, classes: int, first_id: int
) -> list[dict[str, Any]]:
    """Checks and lists the detections of one image.

    Args:
        found: See `coco_metrics`.
        index: Position of the image, for its number and for messages.
        classes: Number of classes.
        first_id: Number of the first object.

    Returns:
        Annotations as pycocotools wants them, images and classes numbered from 1.

    Raises:
        ValueError: If `found` is not as `coco_metrics` describes it.
    """
    where = f"detections[{index}]"
    boxes, labels = _boxes_and_classes(found, where, classes, ("scores",))
    scores = _column(found["scores"], f"{where}['scores']", len(boxes))
    return [
        {**common, "score": float(score), "area": common["bbox"][2] * common["bbox"][3]}
        for common, score in zip(_common(boxes, labels, index, first_id), scores, strict=True)
    ]


def _common(
    boxes: np.ndarray, labels: np.ndarray, index: int, first_id: int
) -> list[dict[str, Any]]:
    """What true and found objects have in common; boxes as corner, width and height."""
    corners = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    return [
        {"id": first_id + row, "image_id": index + 1, "category_id": int(label) + 1, "bbox": box}
        for row, (box, label) in enumerate(zip(corners.tolist(), labels, strict=True))
    ]


def _boxes_and_classes(
    entry: Mapping[str, Any], where: str, classes: int, others: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    missing = [name for name in ("boxes", "classes", *others) if name not in entry]
    if missing:
        raise ValueError(f"{where} must have {missing}. Received: {sorted(entry)}")
    boxes = np.asarray(entry["boxes"], float)
    if boxes.shape == (0,):
        boxes = boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"{where}['boxes'] must be (n, 4). Received: shape {boxes.shape}")
    wrong = ~(np.isfinite(boxes).all(axis=1) & (boxes[:, :2] <= boxes[:, 2:]).all(axis=1))
    if wrong.any():
        raise ValueError(
            f"{where}['boxes'] must be finite and xyxy, the left upper corner first. "
            f"Received: {boxes[wrong][0].tolist()} in row {int(wrong.argmax())}"
        )
    labels = _column(entry["classes"], f"{where}['classes']", len(boxes))
    wrong = (labels != np.floor(labels)) | (labels < 0) | (labels >= classes)
    if wrong.any():
        raise ValueError(
            f"{where}['classes'] must be whole numbers in [0, {classes}), without padding. "
            f"Received: {labels[wrong][0]:g} in row {int(wrong.argmax())}"
        )
    return boxes, labels


def _column(values: Any, where: str, count: int) -> np.ndarray:
    column = np.asarray(values, float)
    if column.shape != (count,) or not np.isfinite(column).all():
        raise ValueError(
            f"{where} must be {count} finite numbers, one for each box. "
            f"Received: shape {column.shape}, of which {int(np.isfinite(column).sum())} are finite"
        )
    return column
