"""Any batch of the training, from the number of its step."""

from __future__ import annotations

import math

import numpy as np

from sweet_keras.data.augmentation import Augmentation
from sweet_keras.data.crop_boxes import ATTEMPTS, center_crop_boxes, random_crop_boxes
from sweet_keras.data.epoch_order import AUGMENT, EpochOrder, generator
from sweet_keras.data.resample import resample
from sweet_keras.data.resize_image import resize_image
from sweet_keras.data.source import Source

# Up to this many values in an image, two matrix products are faster than a call of pillow.
_DENSE_VALUES = 4096


class BatchReader:
    """Reads, crops and labels the batch of a step.

    Nothing is remembered from one step to the next: the records follow from
    (seed, epoch), the crops from (seed, step). Any step can therefore be read
    first, by any thread or process.

    Args:
        source: Where the images are.
        batch_size: Images in a batch.
        image_shape: `(height, width, channels)` wanted.
        augmentation: How to crop and mirror.
        labels: Whether to give the labels too.
        shuffle: Whether each epoch has an order of its own.
        seed: Seed of the order and of the crops.
        steps: Steps in an epoch; the last batch may be smaller.
        rows: Which rows of each batch are wanted; all by default.
    """

    def __init__(
        self,
        source: Source,
        batch_size: int,
        image_shape: tuple[int, int, int],
        augmentation: Augmentation,
        labels: bool,
        shuffle: bool,
        seed: int,
        steps: int,
        rows: np.ndarray | None = None,
    ):
        self.source = source
        self.batch_size = batch_size
        self.image_shape = image_shape
        self.augmentation = augmentation
        self.labels = labels
        self.seed = seed
        self.steps = steps
        self.rows = slice(None) if rows is None else rows
        self.order = EpochOrder(len(source), shuffle, seed)
        self.dense = None not in source.image_shape and all(
            math.prod(shape) <= _DENSE_VALUES for shape in (source.image_shape, image_shape)
        )

    def __call__(self, step: int) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """The batch of a step.

        Args:
            step: Number of the step, from 0, over all epochs.

        Returns:
            Images, uint8 `(batch, *image_shape)`; with `labels` the pair of
            images and int32 labels `(batch,)`.

        Raises:
            ValueError: If a record cannot be read, has another number of
                channels, or a negative (missing) label.
        """
        epoch, position = divmod(step, self.steps)
        indices = self.order(epoch)[position * self.batch_size :][: self.batch_size]
        random = generator(self.seed, AUGMENT, step)
        uniforms = random.random((len(indices), ATTEMPTS, 4))
        flips = random.random(len(indices)) < self.augmentation.flip
        # Drawn for the whole batch: what a row looks like does not depend on who reads it.
        indices, uniforms, flips = indices[self.rows], uniforms[self.rows], flips[self.rows]
        if self.dense:
            images, labels = self._read_dense(indices, uniforms, flips)
        else:
            images, labels = self._read_each(indices, uniforms, flips)
        if not self.labels:
            return images
        if labels.min() < 0:
            raise ValueError(
                f"Every record must have a label of 0 or more. Received: {self.source!r} with "
                f"label {labels.min()} at record {indices[labels.argmin()]}"
            )
        return images, labels

    def _boxes(self, uniforms: np.ndarray, heights: np.ndarray, widths: np.ndarray) -> np.ndarray:
        aspect = self.image_shape[1] / self.image_shape[0]
        chosen = self.augmentation
        if chosen.scale is None:
            return center_crop_boxes(heights, widths, aspect, chosen.center_fraction)
        return random_crop_boxes(uniforms, heights, widths, aspect, chosen.scale, chosen.ratio)

    def _read_dense(
        self, indices: np.ndarray, uniforms: np.ndarray, flips: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Small images of one size: the batch as a whole."""
        images, labels = self.source.read(indices)
        check_image(images[0], self.image_shape[-1], self.source, indices[0])
        height, width = images.shape[1:3]
        boxes = self._boxes(uniforms, np.full(len(indices), height), np.full(len(indices), width))
        size = self.image_shape[:2]
        if size == (height, width) and np.all(boxes == (0, 0, height, width)):
            images[flips] = images[flips, :, ::-1]
            return images, labels
        return resample(images, boxes, size, self.augmentation.interpolation, flips), labels

    def _read_each(
        self, indices: np.ndarray, uniforms: np.ndarray, flips: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Images of any size: one after the other, never two originals in memory."""
        batch = np.empty((len(indices), *self.image_shape), np.uint8)
        labels = np.zeros(len(indices), np.int32)
        for row, index in enumerate(indices):
            record = self.source[int(index)]
            image = record["image"]
            check_image(image, self.image_shape[-1], self.source, index)
            height, width = image.shape[:2]
            box = self._boxes(uniforms[row : row + 1], np.array([height]), np.array([width]))[0]
            batch[row] = resize_image(
                image, box, self.image_shape[:2], self.augmentation.interpolation, flips[row]
            )
            labels[row] = record.get("label", 0)
        return batch, labels


def check_image(image: np.ndarray, channels: int, source: Source, index: int) -> None:
    """Checks the image of a record.

    Args:
        image: What the record holds.
        channels: The channels it must have.
        source: The source it is from, for the error.
        index: Position of the record, for the error.

    Raises:
        ValueError: If it is not uint8 `(height, width, channels)`.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[-1] != channels:
        raise ValueError(
            f"Images must be uint8 of shape (height, width, {channels}). Received: record "
            f"{index} of {source!r} with {image.dtype} of shape {image.shape}"
        )
