"""The objects in one image, checked and as arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sweet_keras.data.problem_log import DegenerateBoxError

# Left edge plus width minus left edge is not quite the width: one pixel less a rounding error is
# one pixel.
_SMALLEST_SIDE = 1.0 - 1e-4


class AnnotatedObjects:
    """Boxes, classes, crowd flags and areas of the objects in an image.

    Args:
        size: `(height, width)` of the image.
        num_classes: Number of classes.

    Attributes:
        shapes: What was passed to `add` as `shape`, for each object.
    """

    def __init__(self, size: tuple[int, int], num_classes: int):
        self.size = size
        self.num_classes = num_classes
        self.shapes: list[Any] = []
        self._boxes: list[tuple[float, ...]] = []
        self._classes: list[int] = []
        self._crowd: list[bool] = []
        self._areas: list[float] = []

    def add(
        self,
        box: Sequence[float],
        label: int,
        crowd: bool = False,
        area: float | None = None,
        shape: Any = None,
    ) -> None:
        """Adds one object.

        Args:
            box: Left, top, right and bottom edge in pixels.
            label: Its class, from 0.
            crowd: Whether it is to be ignored.
            area: Number of its pixels; by default those of the box.
            shape: Anything to be kept beside it.

        Raises:
            DegenerateBoxError: If the box has no number for an edge, or is less
                than a pixel wide or high in the image.
            ValueError: If the box lies outside the image, or there is no such
                class.
        """
        if not 0 <= label < self.num_classes:
            raise ValueError(
                f"The class must be in [0, {self.num_classes}). Received: class {label}"
            )
        clipped = clip_box(box, self.size)
        if area is None or not math.isfinite(area) or area <= 0:
            area = (clipped[2] - clipped[0]) * (clipped[3] - clipped[1])
        self._boxes.append(clipped)
        self._classes.append(label)
        self._crowd.append(crowd)
        self._areas.append(area)
        self.shapes.append(shape)

    def arrays(self) -> dict[str, np.ndarray]:
        """The part of a record that is about objects; see `AnnotatedSource`."""
        return {
            "boxes": np.array(self._boxes, np.float32).reshape(-1, 4),
            "classes": np.array(self._classes, np.int32),
            "crowd": np.array(self._crowd, bool),
            "areas": np.array(self._areas, np.float32),
        }


def clip_box(box: Sequence[float], size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Cuts off what of a box lies outside its image.

    Args:
        box: Left, top, right and bottom edge in pixels.
        size: `(height, width)` of the image.

    Returns:
        The four edges of what is inside.

    Raises:
        DegenerateBoxError: If an edge is no finite number, or the box is less
            than a pixel wide or high.
        ValueError: If it lies wholly outside.
    """
    height, width = size
    left, top, right, bottom = (float(edge) for edge in box)
    received = f"Received: box from ({left:g}, {top:g}) to ({right:g}, {bottom:g})"
    if not all(map(math.isfinite, (left, top, right, bottom))):
        raise DegenerateBoxError(f"The edges of a box must be finite. {received}")
    small = f"A box must be at least one pixel wide and high. {received}"
    if min(right - left, bottom - top) < _SMALLEST_SIDE:
        raise DegenerateBoxError(small)
    outside = f"{received} in an image {width} pixels wide and {height} high"
    if left >= width or top >= height or right <= 0 or bottom <= 0:
        raise ValueError(f"A box must lie in its image. {outside}")
    left, right = max(left, 0.0), min(right, float(width))
    top, bottom = max(top, 0.0), min(bottom, float(height))
    if min(right - left, bottom - top) < _SMALLEST_SIDE:
        raise DegenerateBoxError(f"Of a box at least one pixel must lie in its image. {outside}")
    return left, top, right, bottom
