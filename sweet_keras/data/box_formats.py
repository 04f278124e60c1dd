"""The ways to write a box as four numbers, and from each to each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# How the four numbers of a format follow from (left, top, right, bottom): one row for each.
_CORNERS = np.eye(4)
_LAYOUTS = {
    "xyxy": _CORNERS,
    "yxyx": _CORNERS[[1, 0, 3, 2]],
    "xywh": np.array([[1, 0, 0, 0], [0, 1, 0, 0], [-1, 0, 1, 0], [0, -1, 0, 1]], float),
    "center_xywh": np.array([[1, 0, 1, 0], [0, 1, 0, 1], [-2, 0, 2, 0], [0, -2, 0, 2]]) / 2,
}
# Layout, and whether lengths are in shares of the image's sides instead of pixels.
_FORMATS = {
    "xyxy": ("xyxy", False),
    "xywh": ("xywh", False),
    "center_xywh": ("center_xywh", False),
    "yxyx": ("yxyx", False),
    "rel_xyxy": ("xyxy", True),
    "rel_yxyx": ("yxyx", True),
    "rel_xywh": ("xywh", True),
}
BOX_FORMATS = tuple(_FORMATS)
PADDING = -1.0


def convert_boxes(
    boxes: np.ndarray,
    source: str,
    target: str,
    image_shape: Sequence[int] | None = None,
) -> np.ndarray:
    """Writes boxes in another format.

    `"xyxy"` is left, top, right, bottom; `"yxyx"` top, left, bottom, right;
    `"xywh"` left, top, width, height; `"center_xywh"` the centre, width and
    height. All are in pixels; `"rel_xyxy"`, `"rel_yxyx"` and `"rel_xywh"` are in
    shares of the image's width and height. Coordinates are continuous: a box
    over the whole image is `(0, 0, width, height)` in `"xyxy"`.

    Args:
        boxes: `(..., 4)`. Rows of four times -1 are padding and stay as they are.
        source: Format of `boxes`, one of `BOX_FORMATS`.
        target: Format wanted, one of `BOX_FORMATS`.
        image_shape: `(height, width)` or `(height, width, channels)` in pixels;
            needed only between pixels and shares.

    Returns:
        A new array `(..., 4)` of the dtype of `boxes`; float32 if they are integers.

    Raises:
        ValueError: If a format is unknown, `boxes` are no boxes, or `image_shape`
            is missing or not positive.

    Example:
        ```python
        convert_boxes(np.array([[10.0, 20.0, 30.0, 60.0]]), "xyxy", "xywh")  # 10, 20, 20, 40
        ```
    """
    boxes = as_boxes(boxes)
    layout, relative = _format("source", source)
    target_layout, target_relative = _format("target", target)
    corners = boxes.astype(np.float64) @ np.linalg.inv(_LAYOUTS[layout]).T
    if relative != target_relative:
        sides = _sides(image_shape)
        corners = corners * sides if relative else corners / sides
    converted = corners @ _LAYOUTS[target_layout].T
    return np.where(is_padding(boxes)[..., None], PADDING, converted).astype(boxes.dtype)


def clip_boxes(boxes: np.ndarray, image_shape: Sequence[int]) -> np.ndarray:
    """Cuts off what of a box lies outside the image.

    A box that lies wholly outside becomes one without width or height; see
    `degenerate_boxes`.

    Args:
        boxes: `(..., 4)`, `"xyxy"` in pixels. Rows of -1 are padding and stay.
        image_shape: `(height, width)` or `(height, width, channels)` in pixels.

    Returns:
        A new array `(..., 4)` of the dtype of `boxes`; float32 if they are integers.

    Raises:
        ValueError: If `boxes` are no boxes or `image_shape` is not positive.
    """
    boxes = as_boxes(boxes)
    clipped = np.clip(boxes, 0, _sides(image_shape).astype(boxes.dtype))
    return np.where(is_padding(boxes)[..., None], boxes, clipped)


def degenerate_boxes(boxes: np.ndarray, min_size: float = 0.0) -> np.ndarray:
    """Says which boxes are none: without width or height, or not finite.

    Args:
        boxes: `(..., 4)`, `"xyxy"`. Rows of -1 (padding) are degenerate.
        min_size: Least width and height of a box that is one, in the unit of `boxes`.

    Returns:
        bool `(...)`.

    Raises:
        ValueError: If `boxes` are no boxes.
    """
    boxes = as_boxes(boxes)
    with np.errstate(invalid="ignore"):  # infinity less infinity
        sides = boxes[..., 2:] - boxes[..., :2]
    proper = np.isfinite(boxes).all(axis=-1) & (sides > 0).all(axis=-1)
    return ~(proper & (sides >= min_size).all(axis=-1))


def is_padding(boxes: np.ndarray) -> np.ndarray:
    """Says which rows are no boxes but fill up a batch: four times -1.

    In no format does a box of positive width and height read so.

    Args:
        boxes: `(..., 4)` in any format.

    Returns:
        bool `(...)`.
    """
    return (np.asarray(boxes) == PADDING).all(axis=-1)


def as_boxes(boxes: np.ndarray) -> np.ndarray:
    """Checks the shape of boxes, and makes float32 of integers.

    Args:
        boxes: `(..., 4)` in any format.

    Returns:
        The same array, or a float32 copy.

    Raises:
        ValueError: If `boxes` are no numbers of that shape.
    """
    boxes = np.asarray(boxes)
    if boxes.ndim == 0 or boxes.shape[-1] != 4 or boxes.dtype.kind not in "fiu":
        raise ValueError(
            "`boxes` must be numbers of shape (..., 4). "
            f"Received: {boxes.dtype} of shape {boxes.shape}"
        )
    return boxes if boxes.dtype.kind == "f" else boxes.astype(np.float32)


def _format(argument: str, name: str) -> tuple[str, bool]:
    if name not in BOX_FORMATS:
        raise ValueError(
            f"`{argument}` must be one of {BOX_FORMATS}. Received: {argument}={name!r}"
        )
    return _FORMATS[name]


def _sides(image_shape: Sequence[int] | None) -> np.ndarray:
    """Width, height, width, height."""
    if image_shape is None or len(image_shape) not in (2, 3) or min(image_shape[:2]) <= 0:
        raise ValueError(
            "`image_shape` must be (height, width) or (height, width, channels), positive; it is "
            "needed between pixels and shares of the image. "
            f"Received: image_shape={image_shape}"
        )
    height, width = image_shape[:2]
    return np.array([width, height, width, height], np.float64)
