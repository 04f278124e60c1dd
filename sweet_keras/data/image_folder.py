"""Image files in a folder, or in one folder for each class."""

from __future__ import annotations

import itertools
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sweet_keras.data.decode_image import SUFFIXES, check_channels, check_image, decode_image
from sweet_keras.data.source import Source

_LOGGER = logging.getLogger(__name__)
_CHECKED_AT_ONCE = 1024


class SkippedImage(NamedTuple):
    """A file that `ImageFolder` left out, and why."""

    path: Path
    reason: str


class ImageFolder(Source):
    """Images in the sub-folders of a folder, one sub-folder for each class.

    A folder that holds images itself and no sub-folder with images is read
    without labels. Sub-folders of a class folder are searched as well. Files
    are told by suffix (JPEG, PNG, WebP, GIF, BMP, TIFF, PPM); hidden files and
    folders are ignored. Classes are in the order of their names, images in
    the order of their paths, on every machine. Images are decoded when read:
    EXIF orientation applied, transparency laid on white, 16-bit gray scaled to
    8 bits.

    With `on_error="skip"` every file is decoded once in the constructor
    (several at a time, JPEG at an eighth of the size), so that the number of
    records, and with it every later batch, is fixed from the start.

    Args:
        path: The folder.
        channels: 3 for RGB, 1 for gray.
        on_error: `"raise"`: reading a broken image raises `ValueError`.
            `"skip"`: broken images are left out, each logged as a warning and
            listed in `skipped`, with one Python warning for all.
        classes: Names of the class folders in the order of the labels. Pass
            those of the training set to read a test set that may lack some.
            By default all sub-folders, sorted.
        max_pixels: Largest width times height to decode, against files made to
            exhaust the memory.

    Attributes:
        files: Paths of the images, one for each record.
        skipped: `SkippedImage(path, reason)` for each file left out.

    Raises:
        ValueError: If the folder holds no images, holds images beside class
            folders, or a class folder is empty or not among `classes`.

    Example:
        ```python
        source = ImageFolder("birds/train", on_error="skip")
        source.classes            # ("crow", "jay", …)
        source[0]["image"].shape  # (427, 640, 3)
        ```
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        channels: int = 3,
        on_error: str = "raise",
        classes: Sequence[str] | None = None,
        max_pixels: int = 2**26,
    ):
        self.path = Path(path)
        if not self.path.is_dir():
            raise ValueError(f"`path` must be a folder. Received: path={path}")
        check_channels(channels)
        if on_error not in ("raise", "skip"):
            raise ValueError(f'`on_error` must be "raise" or "skip". Received: {on_error!r}')
        if max_pixels < 1:
            raise ValueError(f"`max_pixels` must be at least 1. Received: max_pixels={max_pixels}")
        self.name = self.path.resolve().name
        self.channels = channels
        self.on_error = on_error
        self.max_pixels = max_pixels
        self.image_shape = (None, None, channels)
        self.skipped: list[SkippedImage] = []
        self.classes, self.files, labels = _listed(self.path, classes)
        if on_error == "skip":
            kept = self._sound()
            self.files = [file for file, keep in zip(self.files, kept, strict=True) if keep]
            labels = list(itertools.compress(labels, kept))
            if not self.files:
                raise ValueError(
                    f"None of {len(self.skipped)} images can be read, the first: "
                    f"{self.skipped[0].reason}. Received: path={path}"
                )
        self.has_labels = self.classes is not None
        self._labels = np.array(labels, np.int32) if self.has_labels else None

    def _sound(self) -> list[bool]:
        """Decodes every file once; reports and remembers the broken ones."""
        kept: list[bool] = []
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as threads:
            for start in range(0, len(self.files), _CHECKED_AT_ONCE):
                files = self.files[start : start + _CHECKED_AT_ONCE]
                reasons = threads.map(self._broken, files)
                for file, reason in zip(files, reasons, strict=True):
                    kept.append(reason is None)
                    if reason is not None:
                        self.skipped.append(SkippedImage(file, reason))
                        _LOGGER.warning("Skipped unreadable image %s: %s", file, reason)
        if self.skipped:
            warnings.warn(
                f"Skipped {len(self.skipped)} of {len(self.files)} images in {self.path} that "
                f"cannot be read, the first: {self.skipped[0].path} ({self.skipped[0].reason}). "
                "All are in `.skipped`.",
                stacklevel=3,
            )
        return kept

    def _broken(self, file: Path) -> str | None:
        return check_image(file, self.channels, self.max_pixels)

    def __len__(self) -> int:
        """The number of images."""
        return len(self.files)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Decodes one image.

        Raises:
            ValueError: If the file cannot be read; the message begins with its
                path.
        """
        position = self._position(index)
        image = decode_image(self.files[position], self.channels, self.max_pixels)
        record: dict[str, Any] = {"image": image}
        if self._labels is not None:
            record["label"] = int(self._labels[position])
        return record

    @property
    def labels(self) -> np.ndarray | None:
        """All labels, int32 of shape `(len(self),)`, or `None` for a flat folder."""
        return self._labels


def _listed(
    root: Path, classes: Sequence[str] | None
) -> tuple[tuple[str, ...] | None, list[Path], list[int]]:
    """Class names, image files and their labels, in a fixed order."""
    flat = [entry for entry in _visible(root) if entry.is_file() and _is_image(entry)]
    folders = {entry.name: list(_images_below(entry)) for entry in _visible(root) if entry.is_dir()}
    if not any(folders.values()):
        if classes is not None:
            raise ValueError(f"Expected class folders {list(classes)}. Received: path={root}")
        if not flat:
            raise ValueError(f"Expected images or folders of images. Received: path={root}")
        return None, flat, [0] * len(flat)
    if flat:
        raise ValueError(
            "Expected images in class folders or directly in the folder, not both. "
            f"Received: path={root} with {flat[0].name} beside {next(iter(folders))}{os.sep}"
        )
    empty = [name for name, files in folders.items() if not files]
    if empty:
        raise ValueError(
            "Every sub-folder must hold images: the labels depend on the list of classes. "
            f"Received: path={root} with empty {empty}"
        )
    names = tuple(folders) if classes is None else tuple(classes)
    unknown = sorted(set(folders) - set(names))
    if unknown:
        raise ValueError(
            f"Folders must be named after `classes`. Received: path={root} with {unknown}, "
            f"classes={names}"
        )
    pairs = [(file, label) for label, name in enumerate(names) for file in folders.get(name, ())]
    return names, [file for file, _ in pairs], [label for _, label in pairs]


def _visible(folder: Path) -> list[Path]:
    entries = (entry for entry in folder.iterdir() if not entry.name.startswith("."))
    return sorted(entries, key=lambda entry: entry.name)


def _images_below(folder: Path) -> Iterator[Path]:
    for entry in _visible(folder):
        if entry.is_dir():
            yield from _images_below(entry)
        elif _is_image(entry):
            yield entry


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES
