"""The same network for pixels that are normalised otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sweet_keras.models.vit_backbone import ViTBackbone


def other_pixels(
    vit: ViTBackbone, mean: float | Sequence[float], std: float | Sequence[float]
) -> ViTBackbone:
    """Multiplies the difference of two normalisations into the patch embedding, which is linear.

    Args:
        vit: The network. It is left as it is.
        mean: To be subtracted from the pixels, in 0..255.
        std: To divide them by.

    Returns:
        A network of the same function, or `vit` itself where nothing differs.
    """
    channels = vit.image_shape[2]
    old_mean, old_std, mean, std = (
        np.broadcast_to(np.asarray(values, "float64"), channels)
        for values in (vit.pixel_mean, vit.pixel_std, mean, std)
    )
    if np.array_equal(old_mean, mean) and np.array_equal(old_std, std):
        return vit
    arrays = vit.arrays()
    kernel = arrays["patch/kernel"].reshape(-1, channels, vit.embed_dim).astype("float64")
    # (pixel - old mean) / old std, with pixel = std z + mean of the new normalised z.
    shift = ((mean - old_mean) / old_std)[:, None]
    bias = arrays["patch/bias"] + (kernel * shift).sum(axis=(0, 1))
    kernel = kernel * (std / old_std)[:, None]
    arrays["patch/kernel"] = kernel.reshape(-1, vit.embed_dim).astype("float32")
    arrays["patch/bias"] = bias.astype("float32")
    config = {**vit.get_config(), "pixel_mean": tuple(mean), "pixel_std": tuple(std)}
    made = ViTBackbone.from_config(config)
    made.load_arrays(arrays)
    return made
