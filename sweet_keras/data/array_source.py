"""Images that are already in memory, or in a memory map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sweet_keras.data.source import Source


class ArraySource(Source):
    """Images in a numpy array.

    Nothing is copied: a memory map (`np.load(path, mmap_mode="r")`) stays one.

    Args:
        images: uint8 array `(records, height, width, channels)`, or
            `(records, height, width)` for one channel.
        labels: Integers `(records,)` or `(records, 1)`, none negative; `None`
            without labels.
        classes: Names of the classes in the order of the labels.
        name: Short name for logs and reports.

    Raises:
        ValueError: If the images are no uint8 array of rank 3 or 4, if labels
            and images differ in number, or if a label is not a whole number in
            the range of the classes.

    Example:
        ```python
        (x_train, y_train), _ = keras.datasets.cifar10.load_data()
        source = ArraySource(x_train, y_train)
        ```
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray | Sequence[int] | None = None,
        classes: Sequence[str] | None = None,
        name: str = "arrays",
    ):
        images = np.asarray(images)
        if images.dtype != np.uint8:
            raise ValueError(
                "`images` must be uint8 pixels in [0, 255] (the pipeline keeps them so; the model "
                f"normalises them). Received: images of dtype {images.dtype}"
            )
        if images.ndim == 3:
            images = images[..., None]
        if images.ndim != 4 or 0 in images.shape[1:]:
            raise ValueError(
                "`images` must have the shape (records, height, width, channels) or "
                f"(records, height, width). Received: images of shape {images.shape}"
            )
        self.name = name
        self.images = images
        self.image_shape = images.shape[1:]
        self.classes = None if classes is None else tuple(classes)
        self._labels = None if labels is None else self._checked(labels)
        self.has_labels = labels is not None

    def _checked(self, labels: np.ndarray | Sequence[int]) -> np.ndarray:
        array = np.asarray(labels)
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if array.shape != (len(self.images),) or (array.size and array.dtype.kind not in "iu"):
            raise ValueError(
                f"`labels` must be {len(self.images)} integers, one for each image. "
                f"Received: labels of shape {array.shape} and dtype {array.dtype}"
            )
        limit = np.iinfo(np.int32).max + 1 if self.classes is None else len(self.classes)
        if array.size and (array.min() < 0 or array.max() >= limit):
            raise ValueError(
                f"`labels` must be in [0, {limit}). "
                f"Received: labels from {array.min()} to {array.max()}"
            )
        return array.astype(np.int32)

    def __len__(self) -> int:
        """The number of images."""
        return len(self.images)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One record; its image is a view of the array."""
        position = self._position(index)
        record: dict[str, Any] = {"image": self.images[position]}
        if self._labels is not None:
            record["label"] = int(self._labels[position])
        return record

    @property
    def labels(self) -> np.ndarray | None:
        """All labels, int32 of shape `(len(self),)`, or `None` without labels."""
        return self._labels

    def read(self, indices: Sequence[int]) -> tuple[np.ndarray, np.ndarray | None]:
        """A batch by one indexing operation; see `Source.read`."""
        indices = np.asarray(indices, np.intp)
        return self.images[indices], None if self._labels is None else self._labels[indices]
