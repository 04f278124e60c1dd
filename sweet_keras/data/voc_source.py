"""Objects in the XML format of Pascal VOC."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from sweet_keras.data.annotated_files import AnnotatedFile, AnnotatedFiles
from sweet_keras.data.annotated_objects import AnnotatedObjects
from sweet_keras.data.decode_image import SUFFIXES
from sweet_keras.data.decode_mask import IGNORED, Colour, ColourTable, check_mask, decode_mask
from sweet_keras.data.image_size import image_size
from sweet_keras.data.path_below import path_below
from sweet_keras.data.voc_xml import VocImage, VocObject, read_voc_xml


class VocSource(AnnotatedFiles):
    """Images with the objects, and the masks, of a folder in the layout of VOC.

    ```
    Annotations/NAME.xml         the objects
    JPEGImages/NAME.jpg          the image, or of another format
    SegmentationClass/NAME.png   the mask: 0 background, class plus 1, 255 ignored
    ImageSets/Main/SPLIT.txt           names of a split, a line each
    ImageSets/Segmentation/SPLIT.txt   the same for `masks=True`
    ```

    Without `ImageSets` all annotations (with `masks=True` all that have a mask)
    are the split "train". The annotations are parsed once, here; images and
    masks are decoded when read. Boxes are cut at the edge of the image; what is
    then less than a pixel wide or high is left out and counted in
    `dropped_boxes`. Objects marked as difficult are `crowd`.

    With `on_error="skip"` every image is decoded once in the constructor, so
    that the number of records is fixed from the start.

    Args:
        folder: The folder.
        split: Name of a file in `ImageSets`, such as `"train"`, `"trainval"`.
        channels: 3 for RGB, 1 for gray.
        masks: Whether to read masks.
        on_error: `"raise"`: broken annotations and images raise `ValueError`.
            `"skip"`: they are left out and listed in `problems`, with one
            Python warning for all.
        classes: Names of the classes in the order of the labels. By default the
            names in all annotations of the folder, sorted, which are those of
            every split. (The 20 of VOC itself are in this order in its masks.)
        colors: What the colours of RGB masks stand for; see `MaskFolder`.
        max_pixels: Largest width times height to accept, against files made to
            exhaust the memory.

    Raises:
        ValueError: If the folder has another layout or no such split, or an
            annotation is broken and `on_error="raise"`.

    Example:
        ```python
        source = VocSource("VOCdevkit/VOC2012", "val", masks=True)
        source.classes  # ("aeroplane", "bicycle", …)
        ```
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        split: str = "train",
        channels: int = 3,
        masks: bool = False,
        on_error: str = "raise",
        classes: Sequence[str] | None = None,
        colors: Sequence[Colour] | Mapping[Colour, int] | None = None,
        max_pixels: int = 2**26,
    ):
        super().__init__(channels, on_error, max_pixels)
        self.path = Path(folder)
        self.split = split
        needed = ("Annotations", "JPEGImages", *(("SegmentationClass",) if masks else ()))
        missing = [name for name in needed if not (self.path / name).is_dir()]
        if missing:
            raise ValueError(
                f"`folder` must hold the folders {', '.join(needed)}. "
                f"Received: {folder} without {', '.join(missing)}"
            )
        self.name = self.path.resolve().name
        self.has_boxes, self.has_masks = True, bool(masks)
        names = _names(self.path, split, self.has_masks)
        parsed = {} if classes is not None else self._parsed()
        if classes is None:
            found = {entry.name for image in parsed.values() for entry in image.objects}
            classes = sorted(found - {""})
        self.classes = tuple(classes)
        if not self.classes or len(set(self.classes)) != len(self.classes):
            raise ValueError(
                "`classes` must be different names, and there must be one. "
                f"Received: classes={self.classes} of {folder}"
            )
        self.mask_classes = ("background", *self.classes) if masks else None
        if masks and len(self.mask_classes) > IGNORED:
            raise ValueError(
                f"A mask has room for {IGNORED - 1} classes. Received: {len(self.classes)} classes"
            )
        self._labels = {name: label for label, name in enumerate(self.classes)}
        self._colours = None if colors is None else ColourTable(colors)
        images = _images(self.path / "JPEGImages")
        records = []
        for name in names:
            try:
                records.append(self._record(name, parsed, images))
            except ValueError as error:
                self._log.skip_record(f"{self.path}: record {name!r}", error)
        self._settle(records, self.path)

    def _parsed(self) -> dict[str, VocImage]:
        """All annotations of the folder, of whatever split."""
        parsed = {}
        for path in sorted((self.path / "Annotations").glob("*.xml")):
            try:
                parsed[path.stem] = read_voc_xml(path)
            except ValueError:  # reported by `_record` if it is of this split
                if self.on_error == "raise":
                    raise
        return parsed

    def _record(
        self, name: str, parsed: dict[str, VocImage], images: dict[str, Path]
    ) -> AnnotatedFile:
        """Finds the files of one record and checks its objects."""
        annotation = path_below(self.path / "Annotations", f"{name}.xml")
        image = parsed[name] if name in parsed else read_voc_xml(annotation)
        folder = self.path / "JPEGImages"
        if image.filename is not None:
            path_below(folder, image.filename, must_exist=False)
        # As in VOC's own programs the image is the one named like the annotation.
        file = images.get(name) or path_below(folder, image.filename or f"{name}.jpg")
        mask = None
        if self.has_masks:
            mask = path_below(self.path / "SegmentationClass", f"{name}.png")
        size = image.size or image_size(file, self.max_pixels)
        if size[0] * size[1] > self.max_pixels:
            raise ValueError(
                f"The image must not be larger than max_pixels={self.max_pixels}. "
                f"Received: {annotation} with height {size[0]}, width {size[1]}"
            )
        objects = AnnotatedObjects(size, len(self.classes))
        for position, entry in enumerate(image.objects):
            try:
                self._add(entry, objects)
            except ValueError as error:
                self._log.drop_object(f"{annotation}: object {position}", error)
        return AnnotatedFile(file, name, str(annotation), size, objects.arrays(), mask)

    def _add(self, entry: VocObject, objects: AnnotatedObjects) -> None:
        if entry.fault is not None:
            raise ValueError(entry.fault)
        if entry.name not in self._labels:
            raise ValueError(
                "The name of an object must be one of `classes`. "
                f"Received: {reprlib.repr(entry.name)}"
            )
        objects.add(entry.box, self._labels[entry.name], crowd=entry.difficult)

    def _mask(self, record: AnnotatedFile, size: tuple[int, int]) -> np.ndarray:
        mask = decode_mask(record.mask, self.max_pixels, self._colours)
        return check_mask(mask, record.mask, size, len(self.mask_classes))


def _names(folder: Path, split: str, masks: bool) -> list[str]:
    """The records of a split."""
    lists = folder / "ImageSets" / ("Segmentation" if masks else "Main")
    if masks and not lists.is_dir():
        lists = folder / "ImageSets" / "Main"
    path = lists / f"{split}.txt"
    if path.is_file():
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        names = [line.strip() for line in lines if line.strip()]
    elif split == "train" and not lists.is_dir():
        names = sorted(path.stem for path in (folder / "Annotations").glob("*.xml"))
    else:
        found = sorted(path.stem for path in lists.glob("*.txt"))
        raise ValueError(
            "`split` must be the name of a list in ImageSets; without lists there is only "
            f'"train". Received: split={split!r}, {path} does not exist, beside it {found}'
        )
    if len(set(names)) != len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"A list must not name a record twice. Received: {path}, {repeated!r}")
    if masks and lists.name == "Main":  # not a list of those that have a mask
        masked = {path.stem for path in (folder / "SegmentationClass").glob("*.png")}
        return [name for name in names if name in masked]
    return names


def _images(folder: Path) -> dict[str, Path]:
    """The image files by stem."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    return {file.stem: file for file in reversed(files)}
