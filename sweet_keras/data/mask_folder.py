"""A folder of images and a folder of their masks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from sweet_keras.data.annotated_files import AnnotatedFile, AnnotatedFiles
from sweet_keras.data.decode_image import SUFFIXES
from sweet_keras.data.decode_mask import IGNORED, Colour, ColourTable, check_mask, decode_mask


class MaskFolder(AnnotatedFiles):
    """Images, and for each a PNG file of the same name with the class of each pixel.

    The values of a mask are the numbers of its palette, or its gray levels as
    they are stored; 255 is ignored. Sub-folders are searched as well: the mask
    of `images/day/7.jpg` is `masks/day/7.png`. Images and masks are decoded when
    read. There are no boxes.

    With `on_error="skip"` every image and every mask is decoded once in the
    constructor, so that the number of records is fixed from the start.

    Args:
        images: Folder of the images.
        masks: Folder of the masks.
        classes: Names of the values of the masks, from 0. By default all masks
            are read once and the values called "0", "1", … up to the largest.
        channels: 3 for RGB, 1 for gray.
        on_error: `"raise"`: broken images and masks, and images or masks without
            the other, raise `ValueError`. `"skip"`: they are left out and listed
            in `problems`, with one Python warning for all.
        colors: What the colours of the masks stand for, which RGB masks need and
            for others overrules the numbers: RGB triples in the order of the
            classes, or a mapping from triples to values (255: ignored). Masks
            of black and white, stored as 0 and 255, are read with
            `colors=[(0, 0, 0), (255, 255, 255)]`.
        max_pixels: Largest width times height to decode, against files made to
            exhaust the memory.

    Raises:
        ValueError: If a folder is missing or empty, an image is without a mask
            or the reverse and `on_error="raise"`, or a mask cannot be read that
            is needed to know the classes.

    Example:
        ```python
        source = MaskFolder("roads/images", "roads/masks", classes=("other", "road"))
        source[0]["mask"].shape  # (480, 640)
        ```
    """

    def __init__(
        self,
        images: str | os.PathLike[str],
        masks: str | os.PathLike[str],
        classes: Sequence[str] | None = None,
        channels: int = 3,
        on_error: str = "raise",
        colors: Sequence[Colour] | Mapping[Colour, int] | None = None,
        max_pixels: int = 2**26,
    ):
        super().__init__(channels, on_error, max_pixels)
        self.path, self.masks_path = Path(images), Path(masks)
        for argument, folder in (("images", self.path), ("masks", self.masks_path)):
            if not folder.is_dir():
                raise ValueError(f"`{argument}` must be a folder. Received: {folder}")
        self.name = self.path.resolve().name
        self.has_boxes, self.has_masks = False, True
        self._colours = None if colors is None else ColourTable(colors)
        records = self._paired()
        if classes is None:
            classes = [str(value) for value in range(self._largest_value(records) + 1)]
        self.classes = self.mask_classes = tuple(classes)
        if not self.classes or len(set(self.classes)) != len(self.classes):
            raise ValueError(f"`classes` must be different names. Received: classes={classes}")
        if len(self.classes) > IGNORED:
            raise ValueError(
                f"A mask has room for {IGNORED} classes. Received: {len(self.classes)} classes"
            )
        self._settle(records, self.path)

    def _paired(self) -> list[AnnotatedFile]:
        """The images that have a mask, in the order of their paths."""
        images = dict(self._files(self.path, SUFFIXES))
        masks = dict(self._files(self.masks_path, {".png"}))
        for folder, files, other in (
            (self.masks_path, images, masks),
            (self.path, masks, images),
        ):
            for name in sorted(files.keys() - other.keys()):
                error = ValueError(
                    "An image and its mask must bear the same name. "
                    f"Received: {files[name]} without a file of that name in {folder}"
                )
                self._log.skip_record(f"record {name!r}", error)
        return [
            AnnotatedFile(images[name], name, str(masks[name]), None, {}, masks[name])
            for name in sorted(images.keys() & masks.keys())
        ]

    def _files(self, folder: Path, suffixes: set[str] | frozenset[str]) -> Iterator[tuple]:
        """Pairs of a path without suffix and the file; each at most once."""
        found: dict[str, Path] = {}
        for file in sorted(folder.rglob("*")):
            relative = file.relative_to(folder)
            hidden = any(part.startswith(".") for part in relative.parts)
            if hidden or file.suffix.lower() not in suffixes or not file.is_file():
                continue
            name = relative.with_suffix("").as_posix()
            if name in found:
                error = ValueError(
                    "There must be one file of a name. "
                    f"Received: {found[name].name} and {file.name} in {file.parent}"
                )
                self._log.skip_record(f"record {name!r}", error)
                continue
            found[name] = file
        return iter(found.items())

    def _largest_value(self, records: list[AnnotatedFile]) -> int:
        """The largest value below 255 in all masks."""

        def largest(record: AnnotatedFile) -> int:
            try:
                mask = decode_mask(record.mask, self.max_pixels, self._colours)
            except ValueError:
                if self.on_error == "raise":
                    raise
                return 0  # left out in a moment
            return int(np.max(mask, where=mask != IGNORED, initial=0))

        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as threads:
            return max(threads.map(largest, records), default=0)

    def _mask(self, record: AnnotatedFile, size: tuple[int, int]) -> np.ndarray:
        mask = decode_mask(record.mask, self.max_pixels, self._colours)
        return check_mask(mask, record.mask, size, len(self.classes))
