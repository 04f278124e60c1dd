"""What a masked autoencoder sees and makes of it, kept for the report."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from sweet_keras.core.atomic import atomic_write
from sweet_keras.data import Source, Subset, pipeline

if TYPE_CHECKING:
    from sweet_keras.models.masked_autoencoder import MaskedAutoencoder


def save_reconstruction(
    model: MaskedAutoencoder,
    source: Source,
    image_shape: tuple[int, int, int],
    path: str | os.PathLike,
    seed: int,
    count: int = 8,
) -> None:
    """Writes original, masked and reconstructed images.

    Args:
        model: A trained autoencoder.
        source: Images; some are picked, evenly spaced.
        image_shape: (height, width, channels) the model takes.
        path: The file, `.npz`: three uint8 arrays (count, height, width, channels).
        seed: Decides which patches are hidden.
        count: Number of images.
    """
    count = min(count, len(source))
    # Halfway into each of `count` equal stretches: sources are often sorted by class.
    picks = ((np.arange(count) + 0.5) * len(source) / count).astype(int)
    few = Subset(source, picks)
    images = next(iter(pipeline(few, count, image_shape=image_shape, shuffle=False, repeat=False)))
    noise = np.random.default_rng(seed).random((count, model.encoder.patches.num_patches))
    shown = model.reconstruct(images, noise=noise.astype("float32"))
    arrays = {
        "original": images,
        **{name: _to_pixels(shown[name]) for name in ("masked", "reconstructed")},
    }
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def load_reconstruction(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads what `save_reconstruction` wrote.

    Returns:
        `original`, `masked`, `reconstructed`: uint8 arrays (count, height, width, channels).

    Raises:
        ValueError: If an array is missing or of another shape or type.
    """
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in ("original", "masked", "reconstructed")}
    shapes = {array.shape for array in arrays.values()}
    types = {array.dtype for array in arrays.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) != 4 or types != {np.dtype("uint8")}:
        raise ValueError(
            "Expected three uint8 arrays of one shape (count, height, width, channels). "
            f"Received: {path} with {shapes} and {types}"
        )
    return arrays


def _to_pixels(images: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(images), 0, 255).astype("uint8")
