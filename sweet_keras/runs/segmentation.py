"""Learning the class of every pixel."""

import keras
import numpy as np

from sweet_keras.data import AnnotatedSource, Source
from sweet_keras.evaluation.mean_iou import ConfusionMatrix
from sweet_keras.evaluation.predict import predict_records
from sweet_keras.runs.dense_task import DenseTask
from sweet_keras.runs.learning_task import Progress
from sweet_keras.runs.score import Score


class Segmentation(DenseTask):
    """A class for each pixel."""

    name = "segment"
    augmentation = "segment"

    def classes(self, source: AnnotatedSource) -> tuple[str, ...]:
        """Names of the values in the masks.

        Raises:
            ValueError: If there are fewer than two.
        """
        if len(source.mask_classes) < 2:
            raise ValueError(
                "The masks must tell at least two classes apart: 0, 1 and so on, 255 where a pixel "
                "does not count. Write 1 for objects that are 255 in black-and-white masks. "
                f"Received: {source!r} with {len(source.mask_classes)} class"
            )
        return tuple(source.mask_classes)

    def measure(
        self,
        model: keras.Model,
        source: Source,
        image_shape: tuple[int, int, int],
        batch_size: int = 32,
        progress: Progress | None = None,
    ) -> Score:
        """Mean intersection over union, and that of each class, in pixels of the originals."""
        matrix = ConfusionMatrix(len(source.mask_classes))
        for record, predicted in predict_records(model, source, batch_size, progress):
            matrix.add(record["mask"], predicted)
        return Score(
            overall=float(matrix.mean_iou),
            by_class=tuple(None if np.isnan(iou) else float(iou) for iou in matrix.iou),
            counts=tuple(matrix.counts.sum(axis=1).tolist()),
            images=len(source),
            more={"pixel accuracy": float(matrix.pixel_accuracy)},
        )
