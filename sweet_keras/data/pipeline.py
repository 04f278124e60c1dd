"""From a source to the batches that `model.fit` takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sweet_keras.backends.own_batches import OwnRows
from sweet_keras.data.augmentation import Augmentation
from sweet_keras.data.batch_dataset import (
    batch_dataset,
    batch_image_shape,
    steps_per_epoch,
    whole_number,
)
from sweet_keras.data.batch_reader import BatchReader
from sweet_keras.data.source import Source
from sweet_keras.distribution.distribute import current

if TYPE_CHECKING:
    import grain


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
    own_rows: bool = False,
) -> grain.IterDataset[Any] | OwnRows:
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
        own_rows: Whether to read, in a training of several processes, only the rows of each
            batch that are this process's. No record is read by two of them. Only for `fit`
            within `sweet_keras.distribute`, and with `drop_remainder`.

    Returns:
        A `grain.IterDataset` (of own rows something that `fit` takes in its place) of uint8 images
        `(batch, *image_shape)`, or of pairs with int32 labels `(batch,)`.

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
    shape = batch_image_shape(image_shape, source)
    augmentation = Augmentation.of(augment)
    if labels and not source.has_labels:
        raise ValueError(f"`labels=True` needs a source with labels. Received: source={source!r}")
    if own_rows and not drop_remainder:
        raise ValueError("`own_rows` needs `drop_remainder`. Received: drop_remainder=False")
    devices = current() if own_rows else None
    divided = devices is not None and devices.processes > 1
    batch_size = whole_number("batch_size", batch_size, 1)
    reader = BatchReader(
        source,
        batch_size,
        shape,
        augmentation,
        labels,
        shuffle,
        whole_number("seed", seed, 0),
        steps,
        devices.engine.own_rows(batch_size) if divided else None,
    )
    batches = batch_dataset(reader, steps, repeat=repeat, start_step=start_step, workers=workers)
    return OwnRows(batches) if divided else batches
