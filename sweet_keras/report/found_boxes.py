"""Figure: images with the objects that are there and those that were found."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from sweet_keras.report.drawing import new_figure
from sweet_keras.report.images import show_image
from sweet_keras.report.palette import ADAPT, SLICE

_COLUMNS = 4


def found_boxes(examples: dict[str, np.ndarray], classes: Sequence[str]) -> Figure:
    """Draws true boxes dashed, found ones solid with class and score.

    Args:
        examples: See `sweet_keras.runs.examples`.
        classes: Names of the classes.
    """
    images = examples["images"]
    columns = min(_COLUMNS, len(images))
    rows = -(-len(images) // columns)
    figure = new_figure(8.0, 8.0 / columns * rows * images.shape[1] / images.shape[2])
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in list(grid.flat)[len(images) :]:
        axes.remove()
    for axes, image, true, found in zip(
        grid.flat, images, examples["true"], examples["found"], strict=False
    ):
        show_image(axes, image)
        for x1, y1, x2, y2, _, _ in true[true[:, 4] >= 0]:
            axes.add_patch(_outline(x1, y1, x2, y2, SLICE.light, (0, (3, 2))))
        for x1, y1, x2, y2, label, score in found[found[:, 4] >= 0]:
            axes.add_patch(_outline(x1, y1, x2, y2, ADAPT.light, "-"))
            axes.text(
                x1,
                y1,
                f"{classes[int(label)]} {score:.0%}",
                fontsize=5.5,
                color="white",
                backgroundcolor=ADAPT.light,
                va="bottom",
                clip_on=True,
                bbox={"facecolor": ADAPT.light, "edgecolor": "none", "pad": 0.6},
            )
    return figure


def _outline(x1: float, y1: float, x2: float, y2: float, colour: str, dashes) -> Rectangle:
    # The centre of the first pixel is drawn at 0, its corner at -0.5.
    return Rectangle(
        (x1 - 0.5, y1 - 0.5), x2 - x1, y2 - y1, fill=False, ec=colour, lw=1.2, ls=dashes
    )
