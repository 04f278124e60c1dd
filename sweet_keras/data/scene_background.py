"""Backgrounds of composed scenes: gradients, blotches, stripes and noise."""

from __future__ import annotations

import numpy as np

# Gray levels, of 255. Low to middle, so that most garments stand out and black tells nothing.
_DARKEST, _BRIGHTEST = 10, 120
_LARGEST_RANGE = 60


def scene_background(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Draws a background.

    A coarse random grid, enlarged smoothly, gives anything from a gradient (2
    by 2) to blotches (8 by 8); half of the backgrounds have stripes besides,
    and all have noise, of a strength that differs. Only sums, products and
    pillow's integer resizing are used, so that the same draws give the same
    pixels on every machine.

    Args:
        rng: Where the draws come from.
        size: Height and width in pixels.

    Returns:
        float64 `(height, width)`, gray levels in [0, 255].
    """
    from PIL import Image

    height, width = size
    cells = 2 + int(7 * rng.random())
    grid = np.floor(256 * rng.random((cells, cells))).astype(np.uint8)
    smooth = Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC)
    span = _LARGEST_RANGE * rng.random()
    darkest = _DARKEST + (_BRIGHTEST - _DARKEST - span) * rng.random()
    levels = darkest + span / 255 * np.asarray(smooth, float)
    if rng.random() < 0.5:
        levels += 30 * rng.random() * (_stripes(rng, size) - 0.5)
    noise = rng.random(size) - 0.5
    return np.clip(levels + 40 * rng.random() * noise, 0, 255)


def _stripes(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """A triangle wave in a random direction, 4 to 20 pixels from crest to crest, in [0, 1]."""
    rows, columns = np.arange(size[0])[:, None], np.arange(size[1])
    down, right = 2 * rng.random(2) - 1
    length = max(abs(down), abs(right), 1e-3)
    period = 4 + 16 * rng.random()
    phase = (rows * down + columns * right) / (length * period) + rng.random()
    return np.abs(2 * (phase - np.floor(phase)) - 1)
