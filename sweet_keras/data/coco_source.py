"""Objects in the JSON format of COCO."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sweet_keras.data.annotated_files import AnnotatedFile, AnnotatedFiles
from sweet_keras.data.annotated_objects import AnnotatedObjects
from sweet_keras.data.coco_json import (
    json_box,
    json_field,
    json_float,
    number_categories,
    read_coco,
)
from sweet_keras.data.coco_segmentation import (
    encode_segmentation,
    paint_segmentations,
    pycocotools_mask,
    read_segmentation,
)
from sweet_keras.data.image_size import image_size
from sweet_keras.data.path_below import path_below

_IGNORED = 255


class CocoSource(AnnotatedFiles):
    """Images with the objects that a COCO "instances" file lists.

    The annotations are parsed once, here; images are decoded when read. The
    categories are numbered from 0 by ascending id. Boxes are cut at the edge of
    the image; what is then less than a pixel wide or high is left out and
    counted in `dropped_boxes`.

    With `masks=True` the objects are also painted into a mask: 0 for the
    background, the class plus 1 for an object, 255 for crowds, smaller objects
    over larger ones. This needs pycocotools; boxes do not.

    With `on_error="skip"` every image is decoded once in the constructor, so
    that the number of records is fixed from the start. A file that is no COCO
    file, or whose categories are unsound, raises in either case.

    Args:
        annotations_json: The file.
        image_folder: Where the images are that it names.
        channels: 3 for RGB, 1 for gray.
        masks: Whether to paint masks.
        on_error: `"raise"`: broken annotations and images raise `ValueError`.
            `"skip"`: they are left out and listed in `problems`, with one
            Python warning for all.
        classes: Names of categories in the order of the labels, to read a file
            as another one was numbered. By default those of the file.
        max_pixels: Largest width times height to accept, against files made to
            exhaust the memory.

    Raises:
        ValueError: If the file cannot be read, or an annotation is broken and
            `on_error="raise"`.
        ImportError: If `masks` are wanted and pycocotools is not installed.

    Example:
        ```python
        source = CocoSource("annotations/instances_val2017.json", "val2017", masks=True)
        source[0]["boxes"].shape  # (7, 4)
        ```
    """

    def __init__(
        self,
        annotations_json: str | os.PathLike[str],
        image_folder: str | os.PathLike[str],
        channels: int = 3,
        masks: bool = False,
        on_error: str = "raise",
        classes: Sequence[str] | None = None,
        max_pixels: int = 2**26,
    ):
        super().__init__(channels, on_error, max_pixels)
        if masks:
            pycocotools_mask()
        self.path = Path(annotations_json)
        self.image_folder = Path(image_folder)
        if not self.image_folder.is_dir():
            raise ValueError(f"`image_folder` must be a folder. Received: {image_folder}")
        content = read_coco(self.path)
        self.name = self.path.stem
        self.has_boxes, self.has_masks = True, bool(masks)
        self.classes, self._labels = number_categories(self.path, content["categories"], classes)
        if masks and len(self.classes) >= _IGNORED:
            raise ValueError(
                f"A mask has room for {_IGNORED - 1} classes. "
                f"Received: {self.path} with {len(self.classes)} categories"
            )
        self.mask_classes = ("background", *self.classes) if masks else None
        images = self._images(content["images"])
        self._add_objects(content["annotations"], images)
        records = [
            AnnotatedFile(file, key, origin, objects.size, objects.arrays(), objects.shapes)
            for key, (file, origin, objects) in images.items()
            if objects is not None
        ]
        self._settle(records, self.path)

    def _images(self, entries: list[Any]) -> dict[Any, tuple[Path, str, AnnotatedObjects | None]]:
        """The images by id, without objects yet; `None` for those left out."""
        images: dict[Any, tuple[Path, str, AnnotatedObjects | None]] = {}
        for position, entry in enumerate(entries):
            key = entry.get("id") if isinstance(entry, dict) else None
            origin = (
                f"{self.path}: image {reprlib.repr(key) if type(key) in (int, str) else position}"
            )
            try:
                if type(key) not in (int, str) or key in images:
                    raise ValueError(
                        "The id must be a number or a text, and used once. "
                        f"Received: {reprlib.repr(entry)}"
                    )
                # Left out for now, so that its objects are not taken for strays.
                images[key] = (self.image_folder, origin, None)
                file = path_below(self.image_folder, entry.get("file_name"))
                size = self._size(entry, file)
                images[key] = (file, origin, AnnotatedObjects(size, len(self.classes)))
            except ValueError as error:
                self._log.skip_record(origin, error)
        return images

    def _size(self, entry: dict[str, Any], file: Path) -> tuple[int, int]:
        """The size as the annotation says, or else the image."""
        height, width = entry.get("height"), entry.get("width")
        if height is None and width is None:
            return image_size(file, self.max_pixels)
        if type(height) is not int or type(width) is not int or min(height, width) < 1:
            raise ValueError(
                "The height and the width must be numbers from 1. "
                f"Received: height {reprlib.repr(height)}, width {reprlib.repr(width)}"
            )
        if height * width > self.max_pixels:
            raise ValueError(
                f"The image must not be larger than max_pixels={self.max_pixels}. "
                f"Received: height {reprlib.repr(height)}, width {reprlib.repr(width)}"
            )
        return height, width

    def _add_objects(self, entries: list[Any], images: dict[Any, Any]) -> None:
        """Adds each object to its image."""
        for position, entry in enumerate(entries):
            key = entry.get("id") if isinstance(entry, dict) else None
            name = reprlib.repr(key) if type(key) in (int, str) else position
            image = None
            try:
                image = images.get(json_field(entry, "image_id", (int, str)))
                if image is None:
                    raise ValueError(
                        "An object must be in one of the images. "
                        f"Received: image_id {reprlib.repr(entry['image_id'])}"
                    )
                if image[2] is not None:
                    self._add(entry, image[2])
            except ValueError as error:
                # Named by its image's id as well, which is how the record is known.
                of = f" of image {entry['image_id']!r}" if image is not None else ""
                self._log.drop_object(f"{self.path}: annotation {name}{of}", error)

    def _add(self, entry: dict[str, Any], objects: AnnotatedObjects) -> None:
        category = json_field(entry, "category_id", (int,))
        if category not in self._labels:
            raise ValueError(
                "The category must be one of the file's, with a name among `classes`. "
                f"Received: category_id {reprlib.repr(category)}"
            )
        crowd = entry.get("iscrowd", 0)
        if type(crowd) not in (int, bool) or crowd not in (0, 1):
            raise ValueError(f"`iscrowd` must be 0 or 1. Received: iscrowd {reprlib.repr(crowd)}")
        left, top, width, height = json_box(entry.get("bbox"))
        area = None
        if entry.get("area") is not None:
            area = json_float(json_field(entry, "area", (int, float)))
        shape = None
        if self.has_masks:
            shape = read_segmentation(entry.get("segmentation"), objects.size)
            if area is None or not area > 0:
                encoded = encode_segmentation(shape, objects.size)
                area = float(pycocotools_mask().area(encoded))
        box = (left, top, left + width, top + height)
        objects.add(box, self._labels[category], bool(crowd), area, shape)

    def _mask(self, record: AnnotatedFile, size: tuple[int, int]) -> np.ndarray:
        objects = record.objects
        values = np.where(objects["crowd"], _IGNORED, objects["classes"] + 1)
        return paint_segmentations(record.mask, values, objects["areas"], size)
