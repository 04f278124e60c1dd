"""Image files whose annotations are known before the first image is read."""

from __future__ import annotations

import itertools
import logging
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sweet_keras.data.annotated_source import AnnotatedSource
from sweet_keras.data.decode_image import check_channels, check_image, decode_image
from sweet_keras.data.image_size import image_size
from sweet_keras.data.problem_log import ProblemLog

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class AnnotatedFile:
    """One record before its image is read.

    Attributes:
        file: The image.
        id: What the dataset calls it.
        origin: The annotation file and the record, for messages.
        size: `(height, width)` as the annotation says, or `None`.
        objects: What `AnnotatedObjects.arrays` gives; empty without boxes.
        mask: What the subclass makes the mask of.
    """

    file: Path
    id: int | str
    origin: str
    size: tuple[int, int] | None
    objects: dict[str, np.ndarray]
    mask: Any = None


class AnnotatedFiles(AnnotatedSource):
    """What annotated image files have in common.

    A subclass lists the records and hands them to `_settle`, at the end of its
    constructor. With masks it also implements `_mask`.

    Args:
        channels: 3 for RGB, 1 for gray.
        on_error: `"raise"`: broken annotations and images raise `ValueError`.
            `"skip"`: they are left out and listed in `problems`.
        max_pixels: Largest width times height to accept.

    Raises:
        ValueError: If one of these is not what is said above.
    """

    def __init__(self, channels: int, on_error: str, max_pixels: int):
        check_channels(channels)
        if max_pixels < 1:
            raise ValueError(f"`max_pixels` must be at least 1. Received: max_pixels={max_pixels}")
        self._log = ProblemLog(on_error)
        self.channels = channels
        self.on_error = on_error
        self.max_pixels = max_pixels
        self.image_shape = (None, None, channels)
        self._records: list[AnnotatedFile] = []

    def _mask(self, record: AnnotatedFile, size: tuple[int, int]) -> np.ndarray:
        """The mask of an image, uint8 `(height, width)`; raises `ValueError` if broken."""
        raise TypeError(f"{self!r} has no masks")

    def __len__(self) -> int:
        """The number of images."""
        return len(self._records)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Decodes one image; see `AnnotatedSource`.

        Raises:
            ValueError: If a file cannot be read, or the image or the mask is
                not of the size that the annotation says.
        """
        record = self._records[self._position(index)]
        try:
            image = decode_image(record.file, self.channels, self.max_pixels)
            _check_size(record, image.shape[:2])
            read = {"image": image, "id": record.id, **_copied(record.objects)}
            if self.has_masks:
                read["mask"] = self._mask(record, image.shape[:2])
        except ValueError as error:
            raise ValueError(f"{record.origin}: {error}") from error
        return read

    def annotation(self, index: int) -> dict[str, Any]:
        """One record without its pixels; see `AnnotatedSource`."""
        record = self._records[self._position(index)]
        size = record.size or image_size(record.file, self.max_pixels)
        return {"id": record.id, "image_size": size, **_copied(record.objects)}

    def _settle(self, records: list[AnnotatedFile], path: Path) -> None:
        """Takes the records; with `on_error="skip"` without those that cannot be read.

        Every image is decoded for that once, a JPEG at an eighth of its size, so
        that the number of records is fixed from the start.
        """
        self._records = records
        found = len(records) + len(self._log.lines)
        if self.on_error == "skip":
            with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as threads:
                reasons = list(threads.map(self._broken, records))
            for record, reason in zip(records, reasons, strict=True):
                if reason is not None:
                    self._log.skip_record(record.origin, ValueError(reason))
            self._records = list(
                itertools.compress(records, (reason is None for reason in reasons))
            )
        self.problems = tuple(self._log.lines)
        self.dropped_boxes = self._log.dropped
        first = f", the first: {self.problems[0]}" if self.problems else ""
        if not self._records:
            raise ValueError(
                f"Expected annotated images, but none of {found} records can be read{first}. "
                f"Received: {path}"
            )
        if not self.problems:
            return
        message = f"Left out {len(self.problems)} broken records or objects of {path}{first}."
        _LOGGER.warning(message)
        if self.on_error == "skip":
            warnings.warn(f"{message} All are in `.problems`.", stacklevel=3)

    def _broken(self, record: AnnotatedFile) -> str | None:
        """What is wrong with the files of a record."""
        try:
            reason = check_image(record.file, self.channels, self.max_pixels)
            if reason is not None:
                return f"{record.file}: unreadable image. Received: {reason}"
            size = image_size(record.file, self.max_pixels)
            _check_size(record, size)
            if self.has_masks:
                self._mask(record, size)
        except ValueError as error:
            return str(error)
        return None


def _check_size(record: AnnotatedFile, size: tuple[int, int]) -> None:
    if record.size is not None and record.size != tuple(size):
        raise ValueError(
            f"The image must be {record.size[1]} pixels wide and "
            f"{record.size[0]} high, as its annotation says (upright, if it has an EXIF "
            f"orientation). Received: {record.file}, {size[1]} wide and {size[0]} high"
        )


def _copied(objects: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Copies, since a reader may change what it gets."""
    return {key: array.copy() for key, array in objects.items()}
