"""What the pipelines share: their checks, and batches by number as a grain dataset."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sweet_keras.data.source import Source

if TYPE_CHECKING:
    import grain


def steps_per_epoch(source: Source, batch_size: int, drop_remainder: bool = True) -> int:
    """Number of batches in one pass over a source.

    Args:
        source: The source.
        batch_size: Images in a batch.
        drop_remainder: Whether a last batch that is not full is left out.

    Returns:
        The number of steps, at least 1.

    Raises:
        ValueError: If the source is empty, or smaller than a batch that may not
            be partial.
    """
    batch_size = whole_number("batch_size", batch_size, 1)
    if len(source) == 0:
        raise ValueError(f"`source` must not be empty. Received: source={source!r}")
    if not drop_remainder:
        return -(-len(source) // batch_size)
    if batch_size > len(source):
        raise ValueError(
            "`batch_size` must not exceed the number of records unless drop_remainder=False. "
            f"Received: batch_size={batch_size}, source={source!r}"
        )
    return len(source) // batch_size


def batch_dataset(
    reader: Callable[[int], Any], steps: int, *, repeat: bool, start_step: int, workers: int
) -> grain.IterDataset[Any]:
    """The batches that a reader gives for the numbers of their steps.

    Args:
        reader: From the number of a step to its batch, in any order and thread.
        steps: Steps in an epoch.
        repeat: Whether to go on after the first epoch, for ever.
        start_step: Number of the first batch wanted.
        workers: Threads that prepare batches ahead, two batches each; 0 prepares
            a batch when it is asked for.

    Returns:
        The dataset.

    Raises:
        ValueError: If `start_step` or `workers` is out of range.
    """
    start_step = whole_number("start_step", start_step, 0)
    workers = whole_number("workers", workers, 0)
    if not repeat and start_step >= steps:
        raise ValueError(
            f"`start_step` must be less than the {steps} steps there are without `repeat`. "
            f"Received: start_step={start_step}"
        )
    import grain

    numbers = grain.MapDataset.range(start_step, sys.maxsize if repeat else steps)
    options = grain.ReadOptions(num_threads=workers, prefetch_buffer_size=2 * workers)
    return numbers.map(reader).to_iter_dataset(options)


def whole_number(name: str, value: int, least: int) -> int:
    """Checks an argument that counts something.

    Args:
        name: Name of the argument, for the error.
        value: Its value.
        least: The least it may be.

    Returns:
        The value as an `int`.

    Raises:
        ValueError: If it is no integer (a `bool` is none), or too small.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least or isinstance(value, bool):
        raise ValueError(
            f"`{name}` must be a whole number of at least {least}. Received: {name}={value!r}"
        )
    return number


def batch_image_shape(image_shape: Sequence[int], source: Source) -> tuple[int, int, int]:
    """Checks the shape of the images wanted against the source.

    Args:
        image_shape: `(height, width, channels)` wanted.
        source: Where the images are.

    Returns:
        The shape as a tuple of `int`.

    Raises:
        ValueError: If these are not three positive whole numbers, or the channels
            are not the source's.
    """
    if len(image_shape) != 3:
        raise ValueError(
            "`image_shape` must be (height, width, channels). "
            f"Received: image_shape={tuple(image_shape)}"
        )
    height, width, channels = (whole_number("image_shape", side, 1) for side in image_shape)
    if source.image_shape[-1] not in (None, channels):
        raise ValueError(
            f"`image_shape` must have the {source.image_shape[-1]} channels of {source!r}. "
            f"Received: image_shape={tuple(image_shape)}"
        )
    return height, width, channels
