"""Pictures in a figure."""

import numpy as np
from matplotlib.axes import Axes


def show_image(axes: Axes, image: np.ndarray) -> None:
    """Shows an image without axes.

    Args:
        axes: Where.
        image: uint8 (height, width, channels) with one channel or three.
    """
    axes.imshow(
        image[..., 0] if image.shape[-1] == 1 else image,
        cmap="gray",
        vmin=0,
        vmax=255,
        interpolation="none",
    )
    bare(axes)


def bare(axes: Axes) -> None:
    """Takes away ticks, grid and frame."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    axes.spines[:].set_visible(False)
