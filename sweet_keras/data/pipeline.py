"""From a source to the batches that `model.fit` takes."""

from __future__ import annotations

import operator
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sweet_keras.data.augmentation import Augmentation
from sweet_keras.data.batch_reader import BatchReader
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
    batch_size = _whole("batch_size", batch_size, 1)
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


def pipeline(
    source: Source,
    batch_size: int,
    *,
    image_shape: Sequence[int],
    augment: Augmentation | str | None = None,
    labels: bool = False,
    shuffle: bool = True,
    repeat: bool = True,
    seed: int = 0,
    start_step: int = 0,
    drop_remainder: bool = True,
    workers: int = 0,
) -> grain.IterDataset[Any]:
    """Batches of a source, cropped to one shape, as a grain dataset.

    Every epoch is a pass over the source in an order of its own, in
    `steps_per_epoch(source, batch_size, drop_remainder)` batches; no record
    comes twice in one. Batch k depends on the arguments and on k only, not on
    `start_step`, `workers` or what was read before. The same versions of numpy
    and pillow are assumed.

    For training pass the result with `steps_per_epoch=` and `shuffle=False`
    (the order is the pipeline's); Keras then goes on from epoch to epoch. To
    resume after k steps, build it again with `start_step=k`. Without
    `steps_per_epoch`, Keras starts the dataset anew, in the same order, at
    each epoch. For evaluation use `shuffle=False, repeat=False,
    drop_remainder=False` and pass `steps=`, which spares a warning of Keras
    about the end of the data.

    Args:
        source: Where the images are.
        batch_size: Images in a batch.
        image_shape: `(height, width, channels)` of the images wanted; the
            channels must be the source's.
        augment: `"mae"` or `"classify"` (a random resized crop of 0.2 to 1, or
            of 0.5 to 1 of the area, and a flip), an `Augmentation` for other
            strengths, or `None` for the whole image: resized, and cropped
            centrally to the aspect wanted.
        labels: Whether to give `(images, labels)` instead of `images`.
        shuffle: Whether each epoch has a random order.
        repeat: Whether to go on for ever, epoch after epoch.
        seed: Seed of order and augmentation, 0 or more.
        start_step: Number of batches to pass over, without reading them.
        drop_remainder: Whether to leave out the last batch of an epoch if it is
            not full.
        workers: Threads that prepare batches ahead, two batches each; 0
            prepares a batch when it is asked for. Decoding and resizing run in
            parallel, small arrays in memory gain little.

    Returns:
        A `grain.IterDataset` of uint8 images `(batch, *image_shape)`, or of pairs
        with int32 labels `(batch,)`.

    Raises:
        ValueError: If an argument is out of range or does not fit the source.
            A record that cannot be read raises when its batch is.

    Example:
        ```python
        train = pipeline(source, 256, image_shape=(28, 28, 1), augment="mae")
        mae.fit(train, steps_per_epoch=steps_per_epoch(source, 256), epochs=4, shuffle=False)
        ```
    """
    if not isinstance(source, Source):
        raise ValueError(
            "`source` must be a Source: ArraySource(images, labels) for arrays, "
            f"open_source(...) for files. Received: {type(source).__name__}"
        )
    steps = steps_per_epoch(source, batch_size, drop_remainder)
    shape = _image_shape(image_shape, source)
    augmentation = Augmentation.of(augment)
    if labels and not source.has_labels:
        raise ValueError(f"`labels=True` needs a source with labels. Received: source={source!r}")
    start_step = _whole("start_step", start_step, 0)
    workers = _whole("workers", workers, 0)
    if not repeat and start_step >= steps:
        raise ValueError(
            f"`start_step` must be less than the {steps} steps there are without `repeat`. "
            f"Received: start_step={start_step}"
        )
    reader = BatchReader(
        source,
        operator.index(batch_size),
        shape,
        augmentation,
        labels,
        shuffle,
        _whole("seed", seed, 0),
        steps,
    )
    import grain

    numbers = grain.MapDataset.range(start_step, sys.maxsize if repeat else steps)
    options = grain.ReadOptions(num_threads=workers, prefetch_buffer_size=2 * workers)
    return numbers.map(reader).to_iter_dataset(options)


def _whole(name: str, value: int, least: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least or isinstance(value, bool):
        raise ValueError(
            f"`{name}` must be a whole number of at least {least}. Received: {name}={value!r}"
        )
    return number


def _image_shape(image_shape: Sequence[int], source: Source) -> tuple[int, int, int]:
    if len(image_shape) != 3:
        raise ValueError(
            "`image_shape` must be (height, width, channels). "
            f"Received: image_shape={tuple(image_shape)}"
        )
    height, width, channels = (_whole("image_shape", side, 1) for side in image_shape)
    if source.image_shape[-1] not in (None, channels):
        raise ValueError(
            f"`image_shape` must have the {source.image_shape[-1]} channels of {source!r}. "
            f"Received: image_shape={tuple(image_shape)}"
        )
    return height, width, channels
