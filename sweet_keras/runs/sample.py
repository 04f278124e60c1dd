"""`sweet sample`: pictures of what a generator makes."""

import time

import numpy as np
from PIL import Image

from sweet_keras.core.atomic import atomic_write
from sweet_keras.models.image_generator import ImageGenerator
from sweet_keras.runs.sample_config import SampleConfig
from sweet_keras.runs.starting_point import load_model


def sample_grid(config: SampleConfig) -> tuple[int, float]:
    """Writes a picture of generated images, a row for each class.

    Args:
        config: All options.

    Returns:
        How many images were made, and in how many seconds.

    Raises:
        ValueError: If the file is no generator, or has no such class or sampler.
    """
    generator = load_model(config.model)
    if not isinstance(generator, ImageGenerator):
        raise ValueError(
            "Expected an ImageGenerator of this package. "
            f"Received: {config.model}, a {type(generator).__name__}"
        )
    classes = config.classes or range(generator.classes)
    labels = np.repeat(np.asarray(classes), config.count)
    began = time.perf_counter()
    images = generator.generate(
        labels,
        steps=config.steps,
        guidance=config.guidance,
        sampler=config.sampler,
        seed=config.seed,
        batch_size=config.batch_size,
    )
    seconds = time.perf_counter() - began
    with atomic_write(config.grid) as path:
        Image.fromarray(in_rows(images, config.count)).save(path, format="PNG")
    return len(images), seconds


def in_rows(images: np.ndarray, count: int) -> np.ndarray:
    """Lays images side by side, so many in a row.

    Args:
        images: uint8 (n, height, width, channels), n a multiple of the count.
        count: Images in a row.

    Returns:
        uint8 (rows * height, count * width), of three channels (..., 3).

    Raises:
        ValueError: If there are neither one nor three channels.
    """
    height, width, channels = images.shape[1:]
    if channels not in (1, 3):
        raise ValueError(f"A picture has one or three channels. Received: {channels} channels")
    rows = images.reshape(-1, count, height, width, channels).swapaxes(1, 2)
    grid = rows.reshape(-1, count * width, channels)
    return grid[..., 0] if channels == 1 else grid
