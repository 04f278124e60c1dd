"""Learning to find objects."""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from sweet_keras.data import AnnotatedSource, Source, Subset, count_boxes
from sweet_keras.evaluation.coco_metrics import COCO_AREA_LIMITS, coco_metrics
from sweet_keras.evaluation.predict import predict
from sweet_keras.runs.dense_task import DenseTask
from sweet_keras.runs.learning_task import Progress
from sweet_keras.runs.score import Score
from sweet_keras.tasks.head import BOX_FORMAT

_COCO_WIDTH = 640  # pixels, for which COCO's limits of small and large were chosen


class Detection(DenseTask):
    """A box and a class for each object."""

    name = "detect"
    augmentation = "detect"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Keeps the arguments, see `DenseTask`."""
        super().__init__(*arguments, **options)
        self._boxes: dict[Source, int] = {}

    def open(
        self, spec: str, split: str, channels: int, on_error: str = "raise"
    ) -> AnnotatedSource:
        """Opens images with boxes.

        Raises:
            ValueError: If no image has any.
        """
        source = super().open(spec, split, channels, on_error)
        if not self._most_boxes(source):
            raise ValueError(f"There must be objects in the images. Received: {source!r} with none")
        return source

    def classes(self, source: AnnotatedSource) -> tuple[str, ...]:
        """Names of the classes of objects."""
        return tuple(source.classes)

    def batches(
        self, source: Source, batch_size: int, image_shape: tuple[int, int, int], **options: Any
    ) -> Iterable:
        """Batches of images and boxes, as many rows of them for any part of a source."""
        return super().batches(
            source,
            batch_size,
            image_shape,
            max_boxes=max(1, self._most_boxes(source)),
            box_format=BOX_FORMAT,
            label_key=self.head.label_key,
            **options,
        )

    def _most_boxes(self, source: Source) -> int:
        """Boxes of the image with most of them, in all of a source: one shape for any part."""
        while isinstance(source, Subset):
            source = source.source
        if source not in self._boxes:
            self._boxes[source] = int(count_boxes(source).max())
        return self._boxes[source]

    def measure(
        self,
        model: keras.Model,
        source: Source,
        image_shape: tuple[int, int, int],
        batch_size: int = 32,
        progress: Progress | None = None,
    ) -> Score:
        """COCO's average precision, in all and of each class.

        The limits of small and large objects shrink with the images: COCO's are for 640 pixels.
        """
        truths = [source.annotation(index) for index in range(len(source))]
        found = list(predict(model, source, batch_size, progress))
        side = np.median([max(truth["image_size"]) for truth in truths])
        scale = min(1.0, side / _COCO_WIDTH) ** 2
        limits = tuple(limit * scale for limit in COCO_AREA_LIMITS)
        measures = coco_metrics(truths, found, source.classes, area_limits=limits)
        by_class = measures.pop("per_class")
        objects = np.concatenate([truth["classes"][~truth["crowd"]] for truth in truths])
        return Score(
            overall=measures.pop("AP") or 0.0,
            by_class=tuple(by_class[name] for name in source.classes),
            counts=tuple(np.bincount(objects, minlength=len(source.classes)).tolist()),
            images=len(source),
            more=measures,
        )
