"""The base class of everything that images are read from."""

from __future__ import annotations

import abc
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np


class Source(abc.ABC):
    """Images with random access, and their labels if they have any.

    A subclass sets the four attributes below and implements `__len__` and
    `__getitem__`. Reading the same position twice gives the same record: the
    input pipeline is resumable only because of that.

    Attributes:
        name: Short name for logs and reports.
        classes: Names of the classes in the order of the labels, or `None`.
        has_labels: Whether the records carry a `"label"`.
        image_shape: `(height, width, channels)`; `None` for what differs from
            image to image or is not known before reading.

    Example:
        ```python
        class Stripes(Source):
            name, classes, has_labels, image_shape = "stripes", None, False, (8, 8, 1)

            def __len__(self):
                return 8

            def __getitem__(self, index):
                image = np.zeros((8, 8, 1), "uint8")
                image[self._position(index)] = 255
                return {"image": image}
        ```
    """

    name: str
    classes: tuple[str, ...] | None
    has_labels: bool
    image_shape: tuple[int | None, int | None, int | None]

    @abc.abstractmethod
    def __len__(self) -> int:
        """The number of records."""

    @abc.abstractmethod
    def __getitem__(self, index: int) -> dict[str, Any]:
        """Reads one record.

        Args:
            index: Position in `[-len(self), len(self))`.

        Returns:
            `{"image": uint8 array (height, width, channels)}`, and with
            `"label": int` if `has_labels`.

        Raises:
            IndexError: If there is no such position.
        """

    @property
    def labels(self) -> np.ndarray | None:
        """All labels, int32 of shape `(len(self),)`, or `None` without labels.

        This default reads every record once and remembers the labels; sources
        that know them otherwise override it.
        """
        if not self.has_labels:
            return None
        if getattr(self, "_labels_read", None) is None:
            labels = (self[position]["label"] for position in range(len(self)))
            self._labels_read = np.fromiter(labels, np.int32, len(self))
        return self._labels_read

    def read(self, indices: Sequence[int]) -> tuple[np.ndarray, np.ndarray | None]:
        """Reads records of one and the same image size as a batch.

        Args:
            indices: Positions, in the order wanted.

        Returns:
            Images, uint8 `(len(indices), height, width, channels)`, a new array,
            and labels, int32 `(len(indices),)`, or `None` without labels.

        Raises:
            ValueError: If the images differ in shape.
        """
        records = [self[index] for index in indices]
        shapes = {record["image"].shape for record in records}
        if len(shapes) != 1:
            raise ValueError(
                f"Only images of one shape can be read as a batch from {self!r}. "
                f"Received: shapes {sorted(shapes)}"
            )
        images = np.stack([record["image"] for record in records])
        if not self.has_labels:
            return images, None
        return images, np.array([record["label"] for record in records], np.int32)

    def _position(self, index: int) -> int:
        """Checks a position and counts negative ones from the end."""
        position = operator.index(index)
        if position < 0:
            position += len(self)
        if not 0 <= position < len(self):
            raise IndexError(f"Index out of range for {self!r}. Received: index={index}")
        return position

    def __repr__(self) -> str:
        """One line: the class, the name and the number of records."""
        return f"{type(self).__name__}(name={self.name!r}, records={len(self)})"
