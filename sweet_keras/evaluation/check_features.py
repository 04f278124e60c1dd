"""Features of two sets of images, as the measures of generated images take them."""

from __future__ import annotations

import numpy as np


def check_features(real: np.ndarray, made: np.ndarray, least: int) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64.

    Args:
        real: (n, d), features of real images.
        made: (m, d), features of generated images.
        least: How many images there must be of each.

    Raises:
        ValueError: If the shapes are others, there are fewer images, or not all is finite.
    """
    real, made = np.asarray(real, "float64"), np.asarray(made, "float64")
    if real.ndim != 2 or made.ndim != 2 or real.shape[1] != made.shape[1] or not real.shape[1]:
        raise ValueError(
            "`real` and `made` must have the shapes (n, d) and (m, d). "
            f"Received: {real.shape} and {made.shape}"
        )
    if min(len(real), len(made)) < least:
        raise ValueError(
            f"`real` and `made` must hold at least {least} images each. "
            f"Received: {len(real)} and {len(made)}"
        )
    if not (np.isfinite(real).all() and np.isfinite(made).all()):
        raise ValueError("`real` and `made` must be finite. Received: NaN or infinite values")
    return real, made
