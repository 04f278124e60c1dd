"""Crop, resize and mirror one image of any size, with pillow."""

from __future__ import annotations

import numpy as np


def resize_image(
    image: np.ndarray,
    box: np.ndarray,
    size: tuple[int, int],
    interpolation: str,
    flip: bool,
) -> np.ndarray:
    """Cuts a box out of an image and resizes it.

    See `resample` for the difference to it.

    Args:
        image: uint8 `(height, width, channels)`.
        box: Top, left, height, width in pixels.
        size: Height and width wanted.
        interpolation: `"bicubic"` or `"bilinear"`.
        flip: Whether to mirror left and right.

    Returns:
        uint8 `(*size, channels)`.
    """
    from PIL import Image

    method = Image.Resampling[interpolation.upper()]
    top, left, height, width = (float(value) for value in box)
    # Rounding must not push a box that ends at the edge beyond it: pillow refuses that.
    corners = (left, top, min(left + width, image.shape[1]), min(top + height, image.shape[0]))
    channels = image.shape[-1]
    planes = [image] if channels == 3 else [image[..., channel] for channel in range(channels)]
    resized = [
        np.asarray(Image.fromarray(plane).resize(size[::-1], method, corners)) for plane in planes
    ]
    result = resized[0] if channels == 3 else np.stack(resized, axis=-1)
    return result[:, ::-1] if flip else result
