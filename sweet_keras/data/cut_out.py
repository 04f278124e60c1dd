"""An object on black, cut out so that it can be laid on something else."""

from __future__ import annotations

import numpy as np

# Gray levels, of 255. Below the first is black with the noise of JPEG; at an edge, what is darker
# than the second is taken for black shining through, however dark the object is.
_BLACK = 5
_DARK = 32


def cut_out(pixels: np.ndarray) -> np.ndarray:
    """Tells how much of each pixel is the object's and how much the black's behind it.

    Within the object that is all, even where it is nearly black. At its edge,
    where the two are mixed, it is the pixel's brightness as a share of the
    brightest around it. Laid on something else by `(1 - opacity) * behind +
    pixels`, the object has no dark rim.

    Args:
        pixels: uint8 `(height, width)`, one object on black.

    Returns:
        The opacity, uint8 `(height, width)`, 255 for the object's pixels.
    """
    around = _neighbours(pixels)
    cross = around[[1, 3, 4, 5, 7]]  # the pixel itself and the four that share a side with it
    inside = (cross >= _BLACK).all(axis=0)
    brightest = np.maximum(around.max(axis=0).astype(int), _DARK)
    mixed = 255 * pixels.astype(int) // brightest
    return np.where(inside, 255, mixed).astype(np.uint8)


def _neighbours(pixels: np.ndarray) -> np.ndarray:
    """The 3 by 3 pixels around each, row by row, (9, height, width); black outside."""
    height, width = pixels.shape
    padded = np.pad(pixels, 1)
    return np.stack([padded[y : y + height, x : x + width] for y in range(3) for x in range(3)])
