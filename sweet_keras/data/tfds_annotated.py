"""Annotated datasets of tensorflow-datasets, read without TensorFlow."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from sweet_keras.data.annotated_objects import AnnotatedObjects
from sweet_keras.data.annotated_source import AnnotatedSource
from sweet_keras.data.decode_image import check_channels
from sweet_keras.data.decode_mask import IGNORED, check_mask, decode_mask
from sweet_keras.data.problem_log import ProblemLog
from sweet_keras.data.tfds_features import decode_pixels, open_tfds, pixel_size, tfds_names

_CROWD_KEYS = ("is_crowd", "is_difficult")


class TFDSAnnotated(AnnotatedSource):
    """A dataset of the tensorflow-datasets collection with boxes or masks.

    Read by `tfds.data_source` from array_record files; TensorFlow is not
    imported (see `TFDSSource`). Boxes and classes are those of the feature
    `objects`, a sequence of `bbox` and `label`; `is_crowd` or `is_difficult` and
    `area` are read where they are. Masks are the feature `segmentation_mask`.
    As in the collection an EXIF orientation is not applied: the boxes are
    relative to the image as it is stored.

    Records are parsed when they are read. So `problems` and `dropped_boxes` say
    what has been found so far; with `on_error="skip"`, which reads every record
    once in the constructor, they are complete.

    Args:
        name: Name in the collection, with `/config` and `:version` if wanted.
        split: Split in the syntax of the collection, such as `"train[:10%]"`.
        channels: 3 for RGB, 1 for gray.
        masks: Whether to read masks, and then boxes only if there are any.
        on_error: `"raise"`: broken records raise `ValueError`. `"skip"`: they
            are left out and listed in `problems`.
        classes: Names in the order of the labels; those of the dataset must be
            among them. For masks only: the names of their values; by default
            those of the dataset, or else all masks are read once and the values
            called "0", "1", … up to the largest.
        data_dir: Folder with the prepared datasets; by default the
            collection's own.
        download: Whether to download and prepare the dataset if it is not in
            `data_dir`.
        max_pixels: Largest width times height to decode.

    Raises:
        ImportError: If tensorflow-datasets is not installed.
        ValueError: If there is no such split, or no boxes or masks.

    Example:
        ```python
        source = TFDSAnnotated("voc/2012", split="validation")
        ```
    """

    def __init__(
        self,
        name: str,
        split: str = "train",
        channels: int = 3,
        masks: bool = False,
        on_error: str = "raise",
        classes: Sequence[str] | None = None,
        data_dir: str | os.PathLike[str] | None = None,
        download: bool = True,
        max_pixels: int = 2**26,
    ):
        ProblemLog(on_error)  # refuses anything else
        check_channels(channels)
        self._records, features = open_tfds(name, split, data_dir, download)
        self.name, self.split, self.channels = name, split, channels
        self.on_error, self.max_pixels = on_error, max_pixels
        self.image_shape = (None, None, channels)
        self.has_masks = bool(masks)
        objects = getattr(dict(features.items()).get("objects"), "feature", None)
        self.has_boxes = {"bbox", "label"} <= set(getattr(objects, "keys", tuple)())
        needed = "segmentation_mask" if masks else "objects"
        if "image" not in features or not (needed in features if masks else self.has_boxes):
            raise ValueError(
                f"Expected a dataset with `image` and `{needed}`"
                f"{'' if masks else ' (with `bbox` and `label`)'}. "
                f"Received: name={name!r} with features {sorted(features)}"
            )
        self._id_key = "image/id" if _is_integer(features, "image/id") else None
        self._found: dict[int, ProblemLog] = {}
        self._kept: np.ndarray | None = None
        self._name_classes(features, classes)
        if on_error == "skip":
            self._leave_out_broken()

    def _name_classes(self, features: Any, classes: Sequence[str] | None) -> None:
        """Sets the names, and the class of each label."""
        mask_names = tfds_names(features["segmentation_mask"]) if self.has_masks else None
        if self.has_boxes:
            if _box_format(features["objects"]["bbox"]) != "REL_YXYX":
                raise ValueError(
                    "Boxes must be [ymin, xmin, ymax, xmax], relative to the image. "
                    f"Received: {self.name!r} with {features['objects']['bbox']}"
                )
            names = tfds_names(features["objects"]["label"]) or ()
            self.classes = tuple(names if classes is None else classes)
            if not self.classes or not set(names) <= set(self.classes):
                raise ValueError(
                    "`classes` must hold the names of the dataset. "
                    f"Received: classes={classes}, {self.name!r} with {names}"
                )
            self._labels = {label: self.classes.index(name) for label, name in enumerate(names)}
            self.mask_classes = mask_names
            return
        if classes is None and mask_names is None:
            mask_names = tuple(str(value) for value in range(self._largest_value() + 1))
        self.classes = self.mask_classes = tuple(mask_names if classes is None else classes)

    def _largest_value(self) -> int:
        """The largest value below 255 in all masks."""
        largest = 0
        for position in range(len(self._records)):
            try:
                mask = _read_mask(self._records[position], self.max_pixels)
            except ValueError:
                if self.on_error == "raise":
                    raise
                continue  # left out in a moment
            largest = max(largest, int(np.max(mask, where=mask != IGNORED, initial=0)))
        return largest

    def _leave_out_broken(self) -> None:
        """Reads every record once, so that their number is fixed from the start."""

        def sound(position: int) -> bool:
            try:
                self._read(position, pixels=True)
            except ValueError as error:
                self._found[position] = ProblemLog("skip")
                self._found[position].lines.append(str(error))
                return False
            return True

        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as threads:
            kept = list(threads.map(sound, range(len(self._records))))
        self._kept = np.flatnonzero(kept)
        if not len(self._kept):
            first = f", the first: {self.problems[0]}" if self.problems else ""
            raise ValueError(
                f"Expected annotated images, but none of {len(kept)} records can be read{first}. "
                f"Received: {self.name!r}"
            )

    @property
    def problems(self) -> tuple[str, ...]:
        """What was left out, a line each, as far as records have been read."""
        return tuple(line for _, log in sorted(self._found.items()) for line in log.lines)

    @property
    def dropped_boxes(self) -> int:
        """Number of objects left out, as far as records have been read."""
        return sum(log.dropped for log in self._found.values())

    def __len__(self) -> int:
        """The number of records in the split, without those left out."""
        return len(self._records) if self._kept is None else len(self._kept)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Reads and decodes one record; see `AnnotatedSource`."""
        return self._read(self._stored(index), pixels=True)

    def annotation(self, index: int) -> dict[str, Any]:
        """One record without its pixels; see `AnnotatedSource`."""
        return self._read(self._stored(index), pixels=False)

    def _stored(self, index: int) -> int:
        position = self._position(index)
        return position if self._kept is None else int(self._kept[position])

    def _read(self, position: int, pixels: bool) -> dict[str, Any]:
        where = f"{self.name} {self.split}: record {position}"
        example = self._records[position]
        record: dict[str, Any] = {
            "id": position if self._id_key is None else int(example[self._id_key])
        }
        try:
            if pixels:
                image = decode_pixels(example["image"], self.channels, self.max_pixels)
                record["image"], size = image, image.shape[:2]
            else:
                record["image_size"] = size = pixel_size(example["image"], self.max_pixels)
            if pixels and self.has_masks:
                num_values = None if self.mask_classes is None else len(self.mask_classes)
                mask = _read_mask(example, self.max_pixels)
                record["mask"] = check_mask(mask, "segmentation_mask", size, num_values)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
        if self.has_boxes:
            record.update(self._objects(example["objects"], size, position, where))
        return record

    def _objects(
        self, stored: dict[str, Any], size: tuple[int, int], position: int, where: str
    ) -> dict[str, np.ndarray]:
        log = ProblemLog(self.on_error)
        objects = AnnotatedObjects(size, len(self.classes))
        crowd_key = next((key for key in _CROWD_KEYS if key in stored), None)
        scale = np.array([*size, *size], np.float64)
        for number, (box, label) in enumerate(zip(stored["bbox"], stored["label"], strict=True)):
            top, left, bottom, right = np.asarray(box, np.float64) * scale
            crowd = crowd_key is not None and bool(stored[crowd_key][number])
            area = float(stored["area"][number]) if "area" in stored else None
            try:
                if int(label) not in self._labels:
                    raise ValueError(f"The label must be a class. Received: label {int(label)}")
                edges = (left, top, right, bottom)
                objects.add(edges, self._labels[int(label)], crowd, area)
            except ValueError as error:
                log.drop_object(f"{where}: object {number}", error)
        self._found[position] = log
        return objects.arrays()


def _read_mask(example: dict[str, Any], max_pixels: int) -> np.ndarray:
    stored = example["segmentation_mask"]
    if isinstance(stored, bytes):
        return decode_mask(io.BytesIO(stored), max_pixels)
    mask = np.asarray(stored)
    mask = mask[..., 0] if mask.ndim == 3 and mask.shape[-1] == 1 else mask
    if mask.dtype != np.uint8 or mask.ndim != 2:
        raise ValueError(
            "A mask must be uint8 of shape (height, width) or (height, width, 1). "
            f"Received: {mask.dtype} of shape {mask.shape}"
        )
    return mask


def _is_integer(features: Any, key: str) -> bool:
    if key not in features or features[key].shape != ():
        return False
    return np.issubdtype(features[key].np_dtype, np.integer)


def _box_format(feature: Any) -> str | None:
    return getattr(getattr(feature, "bbox_format", None), "value", None)
