"""A look at what is fed to a network that expects pixels."""

import warnings
from typing import Any

import numpy as np

_LOOK = 256  # images; reading all of a memory map would take long


def warn_unless_pixels(images: Any) -> None:
    """Warns about float arrays that look divided by 255: training on them fails without a word.

    Args:
        images: What is passed to `fit`; anything but a numpy array is left alone.
    """
    if isinstance(images, np.ndarray) and images.dtype.kind == "f" and images.size:
        largest = float(np.max(images[:_LOOK]))
        if largest <= 1.0:
            warnings.warn(
                "Images must be pixels in 0..255, not divided by 255: the normalisation is part of "
                f"the network. Received: floats up to {largest:g}",
                stacklevel=3,
            )
