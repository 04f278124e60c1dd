"""The base class of everything that images with boxes or masks are read from."""

from __future__ import annotations

import abc
from typing import Any

from sweet_keras.data.source import Source


class AnnotatedSource(Source):
    """Images with random access, with the objects in them, a mask, or both.

    A subclass sets the attributes below and those of `Source`, and implements
    `__len__`, `__getitem__` and `annotation`. Reading the same position twice
    gives the same record.

    Attributes:
        has_boxes: Whether the records carry `"boxes"` and what belongs to them.
        has_masks: Whether the records carry a `"mask"`.
        classes: Names of the object classes in the order of their numbers, from
            0; of a source with masks only, those of the values in the masks.
        mask_classes: Names of the values in the masks, or `None` without masks
            or where the names are not known. Where objects are painted into a
            mask these are `("background", *classes)`.
        problems: What was left out of the dataset, a line each.
        dropped_boxes: Number of objects left out of images that were kept.
        has_labels: `False`; an image has no label of its own.

    Example:
        ```python
        source = open_annotated("coco", split="val")
        record = source[0]
        record["image"].shape, record["boxes"].shape  # (427, 640, 3), (7, 4)
        [source.classes[label] for label in record["classes"]]  # ["dog", …]
        ```
    """

    has_labels = False
    has_boxes: bool
    has_masks: bool
    classes: tuple[str, ...]
    mask_classes: tuple[str, ...] | None
    problems: tuple[str, ...]
    dropped_boxes: int

    @abc.abstractmethod
    def __getitem__(self, index: int) -> dict[str, Any]:
        """Reads one record.

        Args:
            index: Position in `[-len(self), len(self))`.

        Returns:
            A mapping with

            * `"image"`: uint8 `(height, width, channels)`, upright as its EXIF
              orientation says;
            * `"id"`: an integer or a string, unique in the source;

            and if `has_boxes`, for the n objects in the image, with

            * `"boxes"`: float32 `(n, 4)`, left, top, right and bottom edge in
              pixels of this image, inside it, at least one pixel wide and high;
            * `"classes"`: int32 `(n,)`, from 0;
            * `"crowd"`: bool `(n,)`, objects that are neither trained on nor
              counted as missed (`iscrowd` of COCO, `difficult` of VOC);
            * `"areas"`: float32 `(n,)`, in pixels, of the object's mask where
              that is known, else of its box;

            and if `has_masks`, with

            * `"mask"`: uint8 `(height, width)`, the class of each pixel, 255
              for pixels to be ignored.

        Raises:
            IndexError: If there is no such position.
            ValueError: If the image or its annotation is broken.
        """

    @abc.abstractmethod
    def annotation(self, index: int) -> dict[str, Any]:
        """One record without its pixels, for evaluation.

        Args:
            index: Position in `[-len(self), len(self))`.

        Returns:
            What `source[index]` holds, without `"image"` and `"mask"`, and
            `"image_size"`: the height and the width of the image. The image is
            not decoded where its size is known without.

        Raises:
            IndexError: If there is no such position.
            ValueError: If the annotation is broken.
        """
