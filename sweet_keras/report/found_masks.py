"""Figure: images, the class of each pixel, and what was predicted."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from sweet_keras.report.drawing import new_figure
from sweet_keras.report.images import bare, show_image

_IGNORED = 255


def found_masks(examples: dict[str, np.ndarray], classes: Sequence[str]) -> Figure:
    """Draws a column for each image: the image, the true classes, the predicted ones.

    Args:
        examples: See `sweet_keras.runs.examples`.
        classes: Names of the classes.
    """
    images, masks = examples["images"], (examples["true"], examples["found"])
    count = len(images)
    cell = 6.8 / max(count, 4)
    figure = new_figure(8.0, 3 * cell * images.shape[1] / images.shape[2] + 0.7)
    grid = figure.subplots(3, count, squeeze=False)
    colours = [_colour(index) for index in range(len(classes))]
    for axes, image in zip(grid[0], images, strict=True):
        show_image(axes, image)
    for row, kind in zip(grid[1:], masks, strict=True):
        for axes, mask in zip(row, kind, strict=True):
            axes.imshow(
                np.ma.masked_equal(mask, _IGNORED),
                cmap=ListedColormap(colours),
                vmin=-0.5,
                vmax=len(classes) - 0.5,
                interpolation="none",
            )
            bare(axes)
    for row, label in zip(grid, ("image", "true", "predicted"), strict=True):
        row[0].set_ylabel(label, rotation=0, ha="right", va="center")
    shown = sorted({int(value) for kind in masks for value in np.unique(kind)} - {_IGNORED})
    patches = [Patch(color=colours[index], label=classes[index]) for index in shown]
    figure.legend(handles=patches, loc="outside lower center", ncols=6, fontsize=7.5)
    return figure


def _colour(index: int) -> tuple[float, ...]:
    """Of a class; the first, mostly the background, is a light grey."""
    if index == 0:
        return (0.87, 0.87, 0.87)
    return matplotlib.colormaps["tab20"]((index - 1) % 20)[:3]
