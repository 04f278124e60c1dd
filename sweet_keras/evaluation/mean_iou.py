"""How well the classes of pixels are told, over any number of images."""

from __future__ import annotations

import operator

import numpy as np


class ConfusionMatrix:
    """Counts which class of pixel was taken for which.

    Only the counts are kept, so memory does not depend on the number of images.

    Args:
        classes: Number of classes; they are numbered from 0.
        ignored: The value of true pixels that are not counted, whatever was
            predicted there.

    Attributes:
        counts: int64 (classes, classes): pixels by true class (rows) and
            predicted class (columns).

    Raises:
        ValueError: If `classes` is not positive, or `ignored` is a class.

    Example:
        ```python
        matrix = ConfusionMatrix(len(source.mask_classes))
        for images, masks in batches:
            matrix.add(masks, model.predict_on_batch(images).argmax(-1))
        matrix.mean_iou
        ```
    """

    def __init__(self, classes: int, ignored: int = 255):
        self.classes = operator.index(classes)
        self.ignored = operator.index(ignored)
        if self.classes < 1 or 0 <= self.ignored < self.classes:
            raise ValueError(
                "`classes` must be positive, and `ignored` none of them. "
                f"Received: classes={classes}, ignored={ignored}"
            )
        self.counts = np.zeros((self.classes, self.classes), np.int64)

    def add(self, truth: np.ndarray, predicted: np.ndarray) -> None:
        """Counts the pixels of an image or a batch.

        Args:
            truth: Integers of any shape, classes or `ignored`.
            predicted: Integers of the same shape, classes.

        Raises:
            ValueError: If these are no integers, differ in shape, or a pixel
                that counts is out of range.
        """
        truth, predicted = np.asarray(truth), np.asarray(predicted)
        for name, array in (("truth", truth), ("predicted", predicted)):
            if array.dtype.kind not in "iu":
                raise ValueError(f"`{name}` must be integers. Received: dtype {array.dtype}")
        if truth.shape != predicted.shape:
            raise ValueError(
                "`truth` and `predicted` must have the same shape. "
                f"Received: {truth.shape} and {predicted.shape}"
            )
        counted = truth != self.ignored
        truth, predicted = truth[counted], predicted[counted]
        if not truth.size:
            return
        for name, array in (("truth", truth), ("predicted", predicted)):
            if array.min() < 0 or array.max() >= self.classes:
                raise ValueError(
                    f"`{name}` must be in [0, {self.classes}) where `truth` is not "
                    f"{self.ignored}. Received: {array.min()} to {array.max()}"
                )
        # In int64: the product overflows the 8 bits of a mask.
        cells = truth.astype(np.int64) * self.classes + predicted.astype(np.int64)
        self.counts += np.bincount(cells, minlength=self.counts.size).reshape(self.counts.shape)

    @property
    def iou(self) -> np.ndarray:
        """Intersection over union of each class, float64 (classes,).

        NaN for a class that occurs neither in the truth nor in the predictions.
        """
        hits = np.diagonal(self.counts)
        union = self.counts.sum(axis=0) + self.counts.sum(axis=1) - hits
        return np.divide(hits, union, out=np.full(self.classes, np.nan), where=union > 0)

    @property
    def mean_iou(self) -> float:
        """The mean of `iou` over the classes that occur; NaN if nothing was counted.

        A class occurs if it is in the truth or in the predictions: one that is
        predicted but never there counts as 0, one that is in neither counts
        not at all.
        """
        iou = self.iou
        occurring = iou[~np.isnan(iou)]
        return float(occurring.mean()) if occurring.size else float("nan")

    @property
    def pixel_accuracy(self) -> float:
        """Share of the counted pixels that is right; NaN if nothing was counted."""
        total = int(self.counts.sum())
        return float(np.trace(self.counts) / total) if total else float("nan")
