"""The random start that timm and the first ViTs use."""

from __future__ import annotations

import numpy as np

from sweet_keras.core import schema
from sweet_keras.models.vit_backbone import ViTBackbone


def truncated_normal(vit: ViTBackbone, seed: int, std: float = 0.02) -> None:
    """Draws all kernels of a network anew, in place; biases become 0.

    Args:
        vit: A built network.
        seed: Of the draw.
        std: Standard deviation before values beyond two of it are drawn again.
    """
    rng = np.random.default_rng(seed)
    arrays = vit.arrays()
    for name in ("patch/kernel", *schema.KERNELS):
        arrays[name] = _draw(rng, arrays[name].shape, std)
    for name in arrays:
        if name.endswith("/bias"):
            arrays[name] = np.zeros_like(arrays[name])
    vit.load_arrays(arrays)


def _draw(rng: np.random.Generator, shape: tuple[int, ...], std: float) -> np.ndarray:
    values = rng.standard_normal(shape)
    while (beyond := np.abs(values) > 2).any():
        values[beyond] = rng.standard_normal(int(beyond.sum()))
    return (std * values).astype("float32")
