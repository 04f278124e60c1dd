"""Figure: generated images, a row for each class."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from sweet_keras.report.drawing import new_figure
from sweet_keras.report.images import bare

_COLUMNS = 8
_LONGEST = 24  # letters of a name


def sample_grid(images: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> Figure:
    """Draws the images in one picture, those of a class side by side.

    Args:
        images: uint8 (n, height, width, channels) with one channel or three.
        labels: (n,) integers.
        classes: Their names; a class without one is shown by its number.
    """
    shown = np.unique(labels)
    _, height, width, _ = images.shape
    gap = max(1, round(0.06 * height))
    rows, columns = height + gap, width + gap
    # What no image covers is transparent, for light and dark pages.
    grid = np.zeros((rows * len(shown) - gap, columns * _COLUMNS - gap, 4), "uint8")
    for row, label in enumerate(shown):
        for column, image in enumerate(images[labels == label][:_COLUMNS]):
            place = grid[row * rows :, column * columns :][:height, :width]
            place[..., :3], place[..., 3] = image, 255
    cell = 0.62
    figure = new_figure(8.0, cell * len(shown) * rows / columns + 0.2)
    axes = figure.subplots()
    axes.imshow(grid, interpolation="none", aspect="equal", extent=_in_cells(grid, rows, columns))
    bare(axes)
    names = [classes[label] if label < len(classes) else str(label) for label in shown]
    axes.set_yticks(np.arange(len(shown)) + 0.5, [_short(name) for name in names])
    axes.tick_params(length=0)
    axes.set_ylim(len(shown), 0)
    return figure


def _in_cells(grid: np.ndarray, rows: int, columns: int) -> tuple[float, float, float, float]:
    """Edges of the picture, in classes downwards and, of the same length, to the right."""
    height, width = grid.shape[0] / rows, grid.shape[1] / rows
    return 0.0, width, height, 0.0


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
