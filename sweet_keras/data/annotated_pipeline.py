"""From a source with boxes or masks to the batches that `model.fit` takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sweet_keras.data.annotated_reader import AnnotatedReader
from sweet_keras.data.annotated_source import AnnotatedSource
from sweet_keras.data.batch_dataset import (
    batch_dataset,
    batch_image_shape,
    steps_per_epoch,
    whole_number,
)
from sweet_keras.data.box_formats import BOX_FORMATS
from sweet_keras.data.count_boxes import count_boxes
from sweet_keras.data.scale_jitter import ScaleJitter

if TYPE_CHECKING:
    import grain

LABEL_KEYS = ("classes", "labels")
# What a task needs of its source.
_NEEDS = {"detect": "has_boxes", "segment": "has_masks"}


def annotated_pipeline(
    source: AnnotatedSource,
    batch_size: int,
    *,
    image_shape: Sequence[int],
    task: str = "detect",
    augment: ScaleJitter | str | None = None,
    max_boxes: int | None = None,
    box_format: str = "xyxy",
    label_key: str = "classes",
    shuffle: bool = True,
    repeat: bool = True,
    seed: int = 0,
    start_step: int = 0,
    drop_remainder: bool = True,
    workers: int = 0,
) -> grain.IterDataset[Any]:
    """Batches of images with their boxes or masks, as a grain dataset.

    Makes the promises of `pipeline`: every epoch is a pass in an order of its
    own, in `steps_per_epoch(source, batch_size, drop_remainder)` batches; batch k
    depends on the arguments and on k only. Pass the result to `model.fit` with
    `steps_per_epoch=` and `shuffle=False`; resume with `start_step=k`; for
    evaluation use `shuffle=False, repeat=False, drop_remainder=False`.

    Images keep their aspect: see `letterbox` and `ScaleJitter`. Where the picture
    does not reach, pixels are 127, which is next to 0 once they are scaled to
    [-1, 1], and masks 255, the value to ignore. Boxes follow the pixels exactly.

    Crowd objects are not trained on: their boxes are left out. So are boxes that
    the window cuts down to less than a third of their area, or that are less
    than one pixel wide or high (`ScaleJitter.min_visible`, `min_size`). An image
    may end up without any box.

    Args:
        source: Where the images are.
        batch_size: Images in a batch.
        image_shape: `(height, width, channels)` of the images wanted; the
            channels must be the source's.
        task: `"detect"` for boxes, `"segment"` for masks.
        augment: `"detect"` or `"segment"` (scales of 0.8 to 1.25, or of 0.5 to 2,
            and a flip), a `ScaleJitter` for other strengths, or `None` for the
            whole image in its letterbox. It need not be named after the task.
        max_boxes: Rows for the boxes of an image. By default as many as the image
            with most of them has, found with `count_boxes`, which asks the source
            for every annotation. With fewer, the largest in the window are
            trained on; `(count_boxes(source) > max_boxes).sum()` says in how many
            images some are left out. Only for `task="detect"`.
        box_format: `"xyxy"`, `"xywh"`, `"center_xywh"`, `"yxyx"`, `"rel_xyxy"`,
            `"rel_yxyx"` or `"rel_xywh"`; see `convert_boxes`.
        label_key: `"classes"` (keras-cv) or `"labels"` (KerasHub).
        shuffle: Whether each epoch has a random order.
        repeat: Whether to go on for ever, epoch after epoch.
        seed: Seed of order and augmentation, 0 or more.
        start_step: Number of batches to pass over, without reading them.
        drop_remainder: Whether to leave out the last batch of an epoch if it is
            not full.
        workers: Threads that prepare batches ahead, two batches each; 0
            prepares a batch when it is asked for.

    Returns:
        A `grain.IterDataset` of pairs. First uint8 images `(batch, *image_shape)`.
        Then for `"detect"` a dictionary of float32 `"boxes"`
        `(batch, max_boxes, 4)` and, under `label_key`, float32 classes
        `(batch, max_boxes)` from 0, both filled up with -1; for `"segment"` int32
        masks `(batch, height, width)`.

    Raises:
        ValueError: If an argument is out of range or does not fit the source.
            A record that cannot be read raises when its batch is.

    Example:
        ```python
        train = annotated_pipeline(source, 16, image_shape=(512, 512, 3), augment="detect")
        steps = steps_per_epoch(source, 16)
        detector.fit(train, steps_per_epoch=steps, epochs=12, shuffle=False)
        ```
    """
    if not isinstance(source, AnnotatedSource):
        raise ValueError(
            "`source` must be an AnnotatedSource, one with boxes or masks. "
            f"Received: {type(source).__name__}"
        )
    for name, value, known in (
        ("task", task, tuple(_NEEDS)),
        ("box_format", box_format, BOX_FORMATS),
        ("label_key", label_key, LABEL_KEYS),
    ):
        if value not in known:
            raise ValueError(f"`{name}` must be one of {known}. Received: {name}={value!r}")
    if not getattr(source, _NEEDS[task]):
        what = _NEEDS[task].removeprefix("has_")
        raise ValueError(f"`task={task!r}` needs a source with {what}. Received: source={source!r}")
    steps = steps_per_epoch(source, batch_size, drop_remainder)
    if max_boxes is not None:
        max_boxes = whole_number("max_boxes", max_boxes, 1)
        if task != "detect":
            raise ValueError(
                '`max_boxes` is for `task="detect"` only. '
                f"Received: max_boxes={max_boxes}, task={task!r}"
            )
    elif task == "detect":
        max_boxes = max(1, int(count_boxes(source).max()))
    reader = AnnotatedReader(
        source,
        whole_number("batch_size", batch_size, 1),
        batch_image_shape(image_shape, source),
        ScaleJitter.of(augment),
        max_boxes or 0,
        box_format,
        label_key,
        shuffle,
        whole_number("seed", seed, 0),
        steps,
    )
    return batch_dataset(reader, steps, repeat=repeat, start_step=start_step, workers=workers)
