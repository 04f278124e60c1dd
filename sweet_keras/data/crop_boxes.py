"""Where to crop: boxes as (top, left, height, width) in pixels of the original."""

from __future__ import annotations

import numpy as np

ATTEMPTS = 10


def random_crop_boxes(
    uniforms: np.ndarray,
    heights: np.ndarray,
    widths: np.ndarray,
    aspect: float,
    scale: tuple[float, float],
    ratio: tuple[float, float],
) -> np.ndarray:
    """Boxes of the random resized crop, one for each image.

    All draws are made at once and the first that fits is taken, so a box
    depends on its own row of `uniforms` and on nothing else.

    Args:
        uniforms: `(images, ATTEMPTS, 4)` in [0, 1): area, aspect, top, left.
        heights: Heights of the images in pixels, `(images,)`.
        widths: Widths of the images in pixels, `(images,)`.
        aspect: Width / height of the target.
        scale: Least and largest share of the area.
        ratio: Least and largest aspect of the crop relative to `aspect`.

    Returns:
        Boxes `(images, 4)`, float64 holding whole numbers.
    """
    high, wide = heights[:, None].astype(float), widths[:, None].astype(float)
    areas = high * wide * (scale[0] + (scale[1] - scale[0]) * uniforms[..., 0])
    low_log, high_log = np.log(ratio[0] * aspect), np.log(ratio[1] * aspect)
    aspects = np.exp(low_log + (high_log - low_log) * uniforms[..., 1])
    crop_heights, crop_widths = np.rint(np.sqrt(areas / aspects)), np.rint(np.sqrt(areas * aspects))
    fits = (crop_heights >= 1) & (crop_heights <= high) & (crop_widths >= 1) & (crop_widths <= wide)
    tops = np.floor(uniforms[..., 2] * (high - crop_heights + 1))
    lefts = np.floor(uniforms[..., 3] * (wide - crop_widths + 1))
    boxes = np.stack([tops, lefts, crop_heights, crop_widths], axis=-1)
    first = fits.argmax(axis=1)
    chosen = boxes[np.arange(len(boxes)), first]
    none_fits = ~fits.any(axis=1)
    for row in np.flatnonzero(none_fits):
        chosen[row] = _largest_central(
            float(heights[row]), float(widths[row]), ratio[0] * aspect, ratio[1] * aspect
        )
    return chosen


def _largest_central(height: float, width: float, low: float, high: float) -> np.ndarray:
    """The largest central box of whole pixels whose aspect is within [low, high]."""
    crop_height = min(height, max(1.0, np.rint(width / low)))
    crop_width = min(width, max(1.0, np.rint(height * high)))
    top, left = (height - crop_height) // 2, (width - crop_width) // 2
    return np.array([top, left, crop_height, crop_width])


def center_crop_boxes(
    heights: np.ndarray, widths: np.ndarray, aspect: float, fraction: float
) -> np.ndarray:
    """The largest central boxes of the target's aspect, shrunk by a fraction.

    Args:
        heights: Heights of the images in pixels, `(images,)`.
        widths: Widths of the images in pixels, `(images,)`.
        aspect: Width / height of the target.
        fraction: Side of the box relative to the largest.

    Returns:
        Boxes `(images, 4)`, float64; not rounded, so that nothing is distorted.
    """
    crop_heights = np.minimum(heights, widths / aspect) * fraction
    crop_widths = np.minimum(widths, heights * aspect) * fraction
    tops, lefts = (heights - crop_heights) / 2, (widths - crop_widths) / 2
    return np.stack([tops, lefts, crop_heights, crop_widths], axis=-1)
