"""The classes of a source in another order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sweet_keras.data.annotated_source import AnnotatedSource
from sweet_keras.data.decode_mask import IGNORED


class RenumberedSource(AnnotatedSource):
    """The same annotated images, with the classes numbered as something else numbers them.

    Classes are known by their names: what is class 2 and called "dog" there becomes class 0 here if
    "dog" is the first of `names`. Of a source with masks these are the values in the masks, and
    there are no boxes.

    Args:
        source: The source; the names of its classes must be known.
        names: Names in the order of the new numbers; those of the source, and any others.

    Raises:
        ValueError: If a class of the source is not among the names.

    Example:
        ```python
        source = RenumberedSource(open_annotated("coco", "val"), sk.class_names_of(detector))
        ```
    """

    def __init__(self, source: AnnotatedSource, names: Sequence[str]):
        there = source.mask_classes if source.has_masks else source.classes
        unknown = [name for name in there or () if name not in names]
        if there is None or unknown:
            raise ValueError(
                f"The classes of `source` must be among `names`: {', '.join(names)}. "
                f"Received: {source!r} with {', '.join(unknown) or 'classes without names'}"
            )
        self.source = source
        self.name, self.image_shape = source.name, source.image_shape
        self.has_boxes, self.has_masks = not source.has_masks, source.has_masks
        self.classes = tuple(names)
        self.mask_classes = self.classes if source.has_masks else None
        self.problems, self.dropped_boxes = source.problems, source.dropped_boxes
        self._numbers = np.full(IGNORED + 1, IGNORED)
        self._numbers[: len(there)] = [self.classes.index(name) for name in there]

    def __len__(self) -> int:
        """The number of images."""
        return len(self.source)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One record of the source, renumbered; see `AnnotatedSource`."""
        record = self._renumbered(self.source[index])
        if self.has_masks:
            record["mask"] = self._numbers[record["mask"]].astype(np.uint8)
        return record

    def annotation(self, index: int) -> dict[str, Any]:
        """The annotation of one record, renumbered; see `AnnotatedSource`."""
        return self._renumbered(self.source.annotation(index))

    def _renumbered(self, record: dict[str, Any]) -> dict[str, Any]:
        if self.has_boxes:
            return {**record, "classes": self._numbers[record["classes"]].astype(np.int32)}
        boxes = ("boxes", "classes", "crowd", "areas")
        return {key: value for key, value in record.items() if key not in boxes}
