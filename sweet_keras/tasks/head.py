"""A model of another library that is put on a feature pyramid, behind one interface."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

BOX_FORMAT = "xyxy"  # of all targets and predictions, in pixels
# Of boxes that are predicted. Detectors are measured with the uncertain ones as well; the
# libraries' own 0.5 hides most of what is found.
LEAST_SCORE = 0.05


@dataclasses.dataclass(frozen=True, kw_only=True)
class Head:
    """How one model of a library is made, trained and read.

    Attributes:
        task: `"detect"` or `"segment"`.
        library: `"keras_cv"` or `"keras_hub"`.
        name: What it is called in this library, such as `"retinanet"`.
        model_class: Name of its class in the library.
        levels: Levels of the feature pyramid that it takes.
        make: Makes it of a pyramid, the number of classes and options of its own.
        losses: Gives the arguments of `compile` besides the optimizer.
        joins: Levels that are joined by doubling the deeper ones, from the finest to the deepest.
        label_key: Where the classes stand in targets and predictions of a detector.
    """

    task: str
    library: str
    name: str
    model_class: str
    levels: tuple[int, ...]
    make: Callable[..., keras.Model]
    losses: Callable[[], dict[str, Any]]
    joins: tuple[int, int] | None = None
    label_key: str = ""

    def detections(self, predicted: Mapping[str, Any]) -> list[dict[str, np.ndarray]]:
        """What a detector predicted for a batch.

        Args:
            predicted: What its `predict` returns.

        Returns:
            For each image `boxes` (k, 4), xyxy in pixels of the batch, `classes` (k,) and
            `scores` (k,), the padding left out.
        """
        boxes, classes, scores, counts = (
            np.asarray(predicted[key])
            for key in ("boxes", self.label_key, "confidence", "num_detections")
        )
        return [
            {
                "boxes": boxes[row, :count].astype("float32"),
                "classes": classes[row, :count].astype("int32"),
                "scores": scores[row, :count].astype("float32"),
            }
            for row, count in enumerate(counts.astype(int))
        ]
