"""Outlines and run lengths of COCO, checked before they are painted."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

# Painting an outline takes about 120 bytes for each pixel of its length.
_LONGEST_OUTLINE = 2**21
# A run length is written in groups of five bits. Seven hold any that an image can have.
_GROUP_BITS = 5
_MOST_GROUPS = 7


def pycocotools_mask() -> ModuleType:
    """Imports `pycocotools.mask`.

    Raises:
        ImportError: If pycocotools is not installed.
    """
    try:
        from pycocotools import mask
    except ImportError as error:
        raise ImportError(
            "Painting the masks of COCO needs pycocotools: pip install 'sweet_keras[cv]'"
        ) from error
    return mask


def read_segmentation(value: Any, size: tuple[int, int]) -> np.ndarray | list[np.ndarray]:
    """Checks the `segmentation` of one object, so that it is safe to paint.

    Args:
        value: A list of polygons `[x, y, x, y, …]`, or `{"size": [height, width],
            "counts": …}` with run lengths down the columns, as a list or as
            text in COCO's compression.
        size: `(height, width)` of the image.

    Returns:
        float64 polygons `(2 * points,)`, or uint32 run lengths, of background and
        object by turns, that add up to the image.

    Raises:
        ValueError: If it is neither, a polygon has fewer than three points or
            leads far out of the image, or the run lengths do not fit the image.
    """
    if isinstance(value, dict):
        return _read_runs(value, size)
    if not isinstance(value, list) or not value:
        raise ValueError(
            "A segmentation must be a list of polygons or run lengths. "
            f"Received: segmentation {reprlib.repr(value)}"
        )
    return [_read_polygon(polygon, size) for polygon in value]


def encode_segmentation(
    segmentation: np.ndarray | list[np.ndarray], size: tuple[int, int]
) -> dict[str, Any]:
    """One object in the compressed form of pycocotools.

    Args:
        segmentation: What `read_segmentation` returned.
        size: `(height, width)` of the image.

    Returns:
        The mapping that pycocotools works on.

    Raises:
        ImportError: If pycocotools is not installed.
    """
    mask = pycocotools_mask()
    height, width = size
    if isinstance(segmentation, list):
        return mask.merge(mask.frPyObjects(segmentation, height, width))
    return mask.frPyObjects({"size": [height, width], "counts": segmentation}, height, width)


def paint_segmentations(
    segmentations: Sequence[np.ndarray | list[np.ndarray]],
    values: Sequence[int],
    areas: Sequence[float],
    size: tuple[int, int],
) -> np.ndarray:
    """Paints objects over one another, the largest first.

    Args:
        segmentations: What `read_segmentation` returned, for each object.
        values: The value of each in the mask.
        areas: The area of each; of equal ones the later is on top.
        size: `(height, width)` of the image.

    Returns:
        uint8 `(height, width)`, 0 where there is no object.

    Raises:
        ImportError: If there is an object and pycocotools is not installed.
    """
    painted = np.zeros(size, np.uint8, order="F")  # pycocotools goes down the columns
    for position in np.argsort(-np.asarray(areas, np.float64), kind="stable"):
        encoded = encode_segmentation(segmentations[position], size)
        np.copyto(painted, values[position], "unsafe", pycocotools_mask().decode(encoded) != 0)
    return np.ascontiguousarray(painted)


def _read_polygon(value: Any, size: tuple[int, int]) -> np.ndarray:
    height, width = size
    received = f"Received: polygon {reprlib.repr(value)}"
    if not isinstance(value, list) or any(type(number) not in (int, float) for number in value):
        raise ValueError(f"A polygon must be a list of numbers. {received}")
    if len(value) < 6 or len(value) % 2:
        raise ValueError(f"A polygon must have an x and a y for three points or more. {received}")
    try:
        polygon = np.array(value, np.float64)
    except OverflowError as error:  # an integer beyond any float
        raise ValueError(f"The numbers of a polygon are too large. {received}") from error
    # Slightly out is common. What is far out would be drawn there at the cost of its length.
    limit = np.array([width, height], np.float64)
    points = polygon.reshape(-1, 2)
    if not np.all((points >= -limit) & (points <= 2 * limit)):
        raise ValueError(
            f"A polygon must lie in its image, {width} pixels wide and {height} high. {received}"
        )
    length = np.abs(points - np.roll(points, 1, axis=0)).max(axis=1).sum()
    if length > _LONGEST_OUTLINE:
        raise ValueError(
            f"The outline of a polygon must not be longer than {_LONGEST_OUTLINE} pixels. "
            f"Received: {length:.0f} pixels"
        )
    return polygon


def _read_runs(value: dict[str, Any], size: tuple[int, int]) -> np.ndarray:
    declared, counts = value.get("size"), value.get("counts")
    if declared != list(size):
        raise ValueError(
            f"The size of run lengths must be [height, width] of the image, {list(size)}. "
            f"Received: size {reprlib.repr(declared)}"
        )
    if isinstance(counts, str):
        runs = _decompressed(counts)
    elif isinstance(counts, list) and all(type(run) is int and run >= 0 for run in counts):
        if max(counts, default=0) > math.prod(size):
            raise ValueError("A run is longer than the image. Received: " + reprlib.repr(counts))
        runs = np.array(counts, np.int64)
    else:
        raise ValueError(
            "Run lengths must be a list of numbers from 0, or text. "
            f"Received: counts {reprlib.repr(counts)}"
        )
    total = int(runs.sum())
    if total != math.prod(size) or runs.min(initial=0) < 0:
        raise ValueError(
            f"Run lengths must add up to the {math.prod(size)} pixels of the image. "
            f"Received: {len(runs)} runs that add up to {total}"
        )
    return runs.astype(np.uint32)


def _decompressed(text: str) -> np.ndarray:
    """Run lengths from COCO's text: six bits a character, the highest for "goes on"."""
    codes = np.array([ord(character) - 48 for character in text], np.int64)
    ends = np.flatnonzero((codes & 32) == 0)
    groups = np.diff(ends, prepend=-1)
    if (
        not codes.size
        or codes.min() < 0
        or codes.max() >= 64
        or not ends.size
        or ends[-1] != codes.size - 1
        or groups.max() > _MOST_GROUPS
    ):
        raise ValueError(
            f"Run lengths must be in COCO's compression. Received: counts {reprlib.repr(text)}"
        )
    starts = ends - groups + 1
    place = np.arange(codes.size) - np.repeat(starts, groups)
    runs = np.add.reduceat((codes & 31) << (_GROUP_BITS * place), starts)
    runs -= np.where(codes[ends] & 16, 1 << (_GROUP_BITS * groups), 0)
    # From the fourth on, each is written as its difference to the last but one.
    runs[1::2] = np.cumsum(runs[1::2])
    runs[2::2] = np.cumsum(runs[2::2])
    return runs
