"""Average precision of detections, as COCO defines it."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sweet_keras.evaluation.coco_objects import found_objects, true_objects

COCO_AREA_LIMITS = (32.0**2, 96.0**2)

# The largest area COCO's own evaluation counts.
_NO_LIMIT = 1e5**2


def coco_metrics(
    truths: Sequence[Mapping[str, Any]],
    detections: Sequence[Mapping[str, Any]],
    classes: Sequence[str],
    area_limits: tuple[float, float] = COCO_AREA_LIMITS,
) -> dict[str, Any]:
    """Compares detected with true boxes by pycocotools' `COCOeval`.

    COCO's rules: a detection is right if it overlaps a true box of its class
    that no better scored detection has taken, at ten thresholds of the overlap
    from 0.5 to 0.95. Of each image and class the 100 best scored detections
    count. What is found in a crowd is neither right nor wrong. An object as
    large as a limit of the areas belongs to both sides of it.

    Args:
        truths: For each image what `AnnotatedSource.annotation` returns. Read
            are `"boxes"` (n, 4), xyxy in pixels, `"classes"` (n,), 0-based,
            `"crowd"` (n,) and `"areas"` (n,), square pixels.
        detections: For each image, in the same order, a mapping with `"boxes"`
            (k, 4), xyxy in pixels of the original image, `"classes"` (k,),
            0-based, and `"scores"` (k,), in any order and without padding.
        classes: Names of the classes.
        area_limits: Square pixels, the most of a small object and the most of
            one of medium size. COCO's own suit photographs of 640 pixels; for
            smaller images scale them, say by `(width / 640) ** 2`.

    Returns:
        `"AP"`, the mean over thresholds and classes; `"AP50"` and `"AP75"`, at
        one threshold; `"APs"`, `"APm"` and `"APl"`, of small, medium and large
        objects; `"per_class"`, the AP of each class by its name. All are in
        [0, 1], or `None` where the images have no such object that is no
        crowd: such classes do not count in a mean.

    Raises:
        ImportError: If pycocotools is not installed.
        ValueError: If the arguments do not fit each other, or boxes, classes or
            scores are no such thing. The message names the image.

    Reference:
        [Lin et al., 2014](https://arxiv.org/abs/1405.0312)

    Example:
        ```python
        truths = [source.annotation(index) for index in range(len(source))]
        coco_metrics(truths, detections, source.classes)["AP50"]
        ```
    """
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        raise ImportError(
            "coco_metrics needs pycocotools: pip install 'sweet_keras[cv]'"
        ) from error
    _check_arguments(truths, detections, classes, area_limits)
    # All numbers are given from 1: COCOeval takes an object 0 for "no match".
    images = [{"id": number + 1} for number in range(len(truths))]
    categories = [{"id": number + 1, "name": name} for number, name in enumerate(classes)]
    true, detected = COCO(), COCO()  # not COCO.loadRes, which fails when nothing was detected
    for coco, objects_of, entries in (
        (true, true_objects, truths),
        (detected, found_objects, detections),
    ):
        annotations: list[dict[str, Any]] = []
        for index, entry in enumerate(entries):
            annotations += objects_of(entry, index, len(classes), len(annotations) + 1)
        coco.dataset = {"images": images, "categories": categories, "annotations": annotations}
    small, medium = area_limits
    with contextlib.redirect_stdout(io.StringIO()):
        true.createIndex()
        detected.createIndex()
        evaluation = COCOeval(true, detected, iouType="bbox")
        evaluation.params.areaRng = [
            [0, _NO_LIMIT],
            [0, small],
            [small, medium],
            [medium, _NO_LIMIT],
        ]
        evaluation.evaluate()
        evaluation.accumulate()
    # (thresholds, recalls, classes, areas) at the most detections; -1 is "no such object".
    precision = evaluation.eval["precision"][..., -1]
    thresholds = list(np.round(evaluation.params.iouThrs, 2))
    return {
        "AP": _mean(precision[..., 0]),
        "AP50": _mean(precision[thresholds.index(0.5), ..., 0]),
        "AP75": _mean(precision[thresholds.index(0.75), ..., 0]),
        "APs": _mean(precision[..., 1]),
        "APm": _mean(precision[..., 2]),
        "APl": _mean(precision[..., 3]),
        "per_class": {
            name: _mean(precision[:, :, number, 0]) for number, name in enumerate(classes)
        },
    }


def _mean(precision: np.ndarray) -> float | None:
    known = precision[precision > -1]
    return float(known.mean()) if known.size else None


def _check_arguments(
    truths: Sequence[Any],
    detections: Sequence[Any],
    classes: Sequence[str],
    area_limits: tuple[float, float],
) -> None:
    if not len(truths) or len(truths) != len(detections):
        raise ValueError(
            "`truths` and `detections` must have one entry for each image, and there must be "
            f"images. Received: {len(truths)} truths and {len(detections)} detections"
        )
    if isinstance(classes, str) or not len(classes) or len(set(classes)) != len(classes):
        raise ValueError(
            f"`classes` must be names, each once. Received: classes={_shortened(classes)}"
        )
    limits = np.asarray(area_limits, float)
    if limits.shape != (2,) or not 0 < limits[0] < limits[1] < _NO_LIMIT:
        raise ValueError(
            "`area_limits` must be two areas in square pixels, ascending. "
            f"Received: area_limits={area_limits}"
        )


def _shortened(value: Any, limit: int = 100) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}…"
