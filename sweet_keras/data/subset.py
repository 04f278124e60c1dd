"""Part of another source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sweet_keras.data.annotated_source import AnnotatedSource
from sweet_keras.data.source import Source


class Subset(Source):
    """Some of the records of a source, in the order given.

    Of an `AnnotatedSource` it becomes an `AnnotatedSubset`, which is one too.

    Args:
        source: The source to take records of.
        indices: Positions in `source`, each at most once.
        name: Short name; by default that of `source`.

    Raises:
        ValueError: If positions are repeated or out of range.

    Example:
        ```python
        few = Subset(source, range(500))
        ```
    """

    def __new__(cls, source: Source | None = None, *args: Any, **kwargs: Any) -> Subset:
        """Takes the class that fits the source; without a source when unpickled."""
        annotated = cls is Subset and isinstance(source, AnnotatedSource)
        return super().__new__(AnnotatedSubset if annotated else cls)

    def __init__(self, source: Source, indices: Sequence[int], name: str | None = None):
        positions = np.asarray(indices)
        if positions.size == 0:
            positions = positions.astype(np.intp)
        if positions.ndim != 1 or positions.dtype.kind not in "iu":
            raise ValueError(
                "`indices` must be a list of integers. "
                f"Received: indices of shape {positions.shape} and dtype {positions.dtype}"
            )
        if positions.size and (positions.min() < 0 or positions.max() >= len(source)):
            raise ValueError(
                f"`indices` must be in [0, {len(source)}). "
                f"Received: indices from {positions.min()} to {positions.max()}"
            )
        if len(np.unique(positions)) != positions.size:
            raise ValueError(
                "`indices` must not name a record twice. "
                f"Received: {positions.size} indices, {len(np.unique(positions))} different ones"
            )
        self.source = source
        self.indices = positions.astype(np.intp)
        self.name = source.name if name is None else name
        self.classes = source.classes
        self.has_labels = source.has_labels
        self.image_shape = source.image_shape

    def __len__(self) -> int:
        """The number of records in the subset."""
        return len(self.indices)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One record of the underlying source."""
        return self.source[int(self.indices[self._position(index)])]

    @property
    def labels(self) -> np.ndarray | None:
        """Labels of the subset, int32 of shape `(len(self),)`, or `None`."""
        labels = self.source.labels
        return None if labels is None else labels[self.indices]

    def read(self, indices: Sequence[int]) -> tuple[np.ndarray, np.ndarray | None]:
        """A batch of the underlying source; see `Source.read`."""
        return self.source.read(self.indices[np.asarray(indices, np.intp)])


class AnnotatedSubset(Subset, AnnotatedSource):
    """Some of the records of a source with boxes or masks, in the order given.

    `problems` and `dropped_boxes` are those of the whole source. The arguments
    are those of `Subset`, which makes one of these where it should.
    """

    def __init__(self, source: AnnotatedSource, indices: Sequence[int], name: str | None = None):
        super().__init__(source, indices, name)
        self.has_boxes = source.has_boxes
        self.has_masks = source.has_masks
        self.mask_classes = source.mask_classes
        self.problems = source.problems
        self.dropped_boxes = source.dropped_boxes

    def annotation(self, index: int) -> dict[str, Any]:
        """The annotation of one record; see `AnnotatedSource.annotation`."""
        return self.source.annotation(int(self.indices[self._position(index)]))
