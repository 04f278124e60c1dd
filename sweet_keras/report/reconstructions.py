"""Figure: images, what the autoencoder sees of them, and what it makes of that."""

import numpy as np
from matplotlib.figure import Figure

from sweet_keras.report.drawing import new_figure
from sweet_keras.report.images import show_image

_ROWS = {"original": "original", "masked": "what it sees", "reconstructed": "what it makes of it"}
_MAX_IMAGES = 8


def reconstructions(images: dict[str, np.ndarray]) -> Figure:
    """Draws a column for each image.

    Args:
        images: `original`, `masked`, `reconstructed`: uint8 (count, height, width, channels).
    """
    count = min(len(images["original"]), _MAX_IMAGES)
    _, height, width, _ = images["original"].shape
    cell = 6.8 / max(count, 4)
    figure = new_figure(8.0, 3 * cell * height / width + 0.2)
    grid = figure.subplots(3, count, squeeze=False)
    for row, (name, label) in zip(grid, _ROWS.items(), strict=True):
        for axes, image in zip(row, images[name], strict=False):
            show_image(axes, image)
        row[0].set_ylabel(label.replace(" of", "\nof"), rotation=0, ha="right", va="center")
    return figure
