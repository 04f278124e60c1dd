"""Any batch of images with boxes or masks, from the number of its step."""

from __future__ import annotations

from typing import Any

import numpy as np

from sweet_keras.data.annotated_source import AnnotatedSource
from sweet_keras.data.batch_reader import check_image
from sweet_keras.data.box_formats import PADDING, convert_boxes, degenerate_boxes
from sweet_keras.data.epoch_order import AUGMENT, EpochOrder, generator
from sweet_keras.data.placement import MASK_PADDING, Placement
from sweet_keras.data.scale_jitter import DRAWS, ScaleJitter


class AnnotatedReader:
    """Reads, scales and crops the batch of a step, with what is known about it.

    Nothing is remembered from one step to the next: the records follow from
    (seed, epoch), the windows from (seed, step). Any step can therefore be read
    first, by any thread or process.

    Args:
        source: Where the images are.
        batch_size: Images in a batch.
        image_shape: `(height, width, channels)` wanted.
        jitter: How to scale, crop and mirror.
        max_boxes: Rows for the boxes of an image; 0 gives masks instead of boxes.
        box_format: Format of the boxes, one of `BOX_FORMATS`.
        label_key: Under which key the classes of the boxes are given.
        shuffle: Whether each epoch has an order of its own.
        seed: Seed of the order and of the windows.
        steps: Steps in an epoch; the last batch may be smaller.
    """

    def __init__(
        self,
        source: AnnotatedSource,
        batch_size: int,
        image_shape: tuple[int, int, int],
        jitter: ScaleJitter,
        max_boxes: int,
        box_format: str,
        label_key: str,
        shuffle: bool,
        seed: int,
        steps: int,
    ):
        self.source = source
        self.batch_size = batch_size
        self.image_shape = image_shape
        self.jitter = jitter
        self.max_boxes = max_boxes
        self.box_format = box_format
        self.label_key = label_key
        self.seed = seed
        self.steps = steps
        self.order = EpochOrder(len(source), shuffle, seed)

    def __call__(self, step: int) -> tuple[np.ndarray, Any]:
        """The batch of a step.

        Args:
            step: Number of the step, from 0, over all epochs.

        Returns:
            Images, uint8 `(batch, *image_shape)`, and with them the dictionary of
            boxes `(batch, max_boxes, 4)` and classes `(batch, max_boxes)`, both
            float32, or without `max_boxes` the masks, int32 `(batch, height, width)`.

        Raises:
            ValueError: If a record cannot be read or is not what the source promises.
        """
        epoch, position = divmod(step, self.steps)
        indices = self.order(epoch)[position * self.batch_size :][: self.batch_size]
        uniforms = generator(self.seed, AUGMENT, step).random((len(indices), DRAWS))
        size = self.image_shape[:2]
        images = np.empty((len(indices), *self.image_shape), np.uint8)
        boxes = np.full((len(indices), self.max_boxes, 4), PADDING, np.float32)
        classes = np.full((len(indices), self.max_boxes), PADDING, np.float32)
        masks = np.empty((0 if self.max_boxes else len(indices), *size), np.int32)
        for row, index in enumerate(indices):
            record = self.source[int(index)]
            image = record["image"]
            check_image(image, self.image_shape[-1], self.source, index)
            placement = self.jitter.place(image.shape[:2], size, uniforms[row])
            images[row] = placement.draw_image(image, self.jitter.interpolation)
            if self.max_boxes:
                found, labels = self._boxes(record, placement, index)
                boxes[row, : len(found)], classes[row, : len(found)] = found, labels
            else:
                masks[row] = self._mask(record, placement, index)
        if not self.max_boxes:
            return images, masks
        boxes = convert_boxes(boxes, "xyxy", self.box_format, self.image_shape)
        return images, {"boxes": boxes, self.label_key: classes}

    def _boxes(
        self, record: dict[str, Any], placement: Placement, index: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Boxes in pixels of the target and their classes, the largest `max_boxes` of them."""
        boxes, classes, crowd = record["boxes"], record["classes"], record["crowd"]
        counts = {np.shape(boxes), (*np.shape(classes), 4), (*np.shape(crowd), 4)}
        if len(counts) != 1 or np.ndim(classes) != 1 or degenerate_boxes(boxes).any():
            raise ValueError(
                'Every record must have n proper "boxes", n "classes" and n "crowd". Received: '
                f"record {index} of {self.source!r} with boxes {boxes}, classes {classes} and "
                f"crowd {crowd}"
            )
        if len(classes) and not 0 <= min(classes) <= max(classes) < len(self.source.classes):
            raise ValueError(
                f"Classes must be in [0, {len(self.source.classes)}). Received: record {index} of "
                f"{self.source!r} with classes {classes}"
            )
        boxes, kept = self.jitter.boxes_in(placement, boxes)
        kept = np.flatnonzero(kept & ~crowd)
        if len(kept) > self.max_boxes:
            areas = np.prod(boxes[kept, 2:] - boxes[kept, :2], axis=-1)
            largest = np.argsort(-areas, kind="stable")[: self.max_boxes]
            kept = kept[np.sort(largest)]  # in the order of the record
        return boxes[kept], classes[kept]

    def _mask(self, record: dict[str, Any], placement: Placement, index: int) -> np.ndarray:
        mask = record["mask"]
        if mask.dtype != np.uint8 or mask.shape != placement.image_size:
            raise ValueError(
                "Masks must be uint8 of the height and width of their image, "
                f"{placement.image_size}. Received: record {index} of {self.source!r} with "
                f"{mask.dtype} of shape {mask.shape}"
            )
        drawn = placement.draw_mask(mask)
        names = self.source.mask_classes
        if names is not None and np.any((drawn >= len(names)) & (drawn != MASK_PADDING)):
            raise ValueError(
                f"Masks must have values in [0, {len(names)}), or {MASK_PADDING} for pixels to "
                f"ignore. Received: record {index} of {self.source!r} with the values "
                f"{np.unique(mask).tolist()}"
            )
        return drawn
