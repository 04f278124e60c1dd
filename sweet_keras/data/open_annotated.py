"""One line of text to a source with boxes or masks."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from sweet_keras.data.annotated_source import AnnotatedSource
from sweet_keras.data.coco_source import CocoSource
from sweet_keras.data.mask_colors import number_mask_colors, read_mask_colors
from sweet_keras.data.mask_folder import MaskFolder
from sweet_keras.data.split_names import split_names
from sweet_keras.data.tfds_annotated import TFDSAnnotated
from sweet_keras.data.voc_source import VocSource

_ROBOFLOW = "_annotations.coco.json"
_COLORS = "colors.json"
_LAYOUTS = (
    "annotations/instances_<split>*.json with images in <split>*/ or images/ (COCO)",
    f"<split>/{_ROBOFLOW} with images beside it (COCO)",
    "Annotations/ with JPEGImages/ (Pascal VOC)",
    "<split>/images and <split>/masks, or images/<split> and masks/<split> (masks)",
)


def open_annotated(
    spec: str | os.PathLike[str],
    split: str = "train",
    *,
    task: str = "detect",
    channels: int = 3,
    on_error: str = "raise",
    classes: Sequence[str] | None = None,
    data_dir: str | os.PathLike[str] | None = None,
) -> AnnotatedSource:
    """Opens the annotated images that a line of text names.

    * `"tfds:name"`, `"tfds:name/config"`: `TFDSAnnotated`;
    * a file ending in `.json`, with its images beside it: `CocoSource`;
    * a folder with `annotations/instances_<split>*.json`, and with the images in
      `<split>*/`, `images/<split>*/` or `images/`: `CocoSource`;
    * a folder with `<split>/_annotations.coco.json`, and the images beside that:
      `CocoSource`;
    * a folder with `Annotations/` and `JPEGImages/`: `VocSource`;
    * a folder with `<split>/images` and `<split>/masks`, or with `images/<split>`
      and `masks/<split>`: `MaskFolder`. A file `colors.json` in it says what the colours of RGB
      masks stand for, `{"road": "#804080", "car": "#00008e", "ignored": "#000000"}`, and names
      the classes.

    Splits may be called otherwise, such as `val` for `test`; see `split_names`.

    Args:
        spec: What to open.
        split: `"train"`, `"test"` or `"val"`; what else the kind of source
            understands. A `.json` file is opened whatever split is asked for.
        task: `"detect"` for boxes, `"segment"` for masks.
        channels: 3 (RGB) or 1 (gray).
        on_error: `"raise"` or `"skip"` broken annotations and images.
        classes: Names of the classes in the order of the labels. By default
            those of the dataset; of a mask folder, those of its training split.
        data_dir: Where tensorflow-datasets keeps its data; for `tfds:` only.

    Returns:
        The source; with masks if the task is "segment".

    Raises:
        ValueError: If `spec` is none of these, has no such split, cannot be
            read, or has no annotations for the task.

    Example:
        ```python
        source = open_annotated("coco2017", "val", task="segment")
        ```
    """
    if task not in ("detect", "segment"):
        raise ValueError(f'`task` must be "detect" or "segment". Received: task={task!r}')
    options = {"channels": channels, "on_error": on_error, "classes": classes}
    masks = task == "segment"
    text = os.fspath(spec)
    if text.startswith("tfds:"):
        name = text.removeprefix("tfds:")
        return TFDSAnnotated(name, split, masks=masks, data_dir=data_dir, **options)
    path = Path(text).expanduser()
    if path.is_file() and path.suffix.lower() == ".json":
        root = path.parent
        folder = _coco_images(root.parent, path) if root.name == "annotations" else root
        return CocoSource(path, folder, masks=masks, **options)
    if not path.is_dir():
        raise ValueError(
            f'`spec` must be "tfds:name", an existing folder or .json file. Received: spec={text!r}'
        )
    source = _opened(path, split, masks, options)
    source.name = path.resolve().name
    return source


def _opened(path: Path, split: str, masks: bool, options: dict) -> AnnotatedSource:
    """Opens a folder in the first layout that it has."""
    coco = _coco_files(path, split)
    if coco is not None:
        return CocoSource(*coco, masks=masks, **options)
    if (path / "Annotations").is_dir() and any((path / "Annotations").glob("*.xml")):
        return VocSource(path, _voc_split(path, split, masks), masks=masks, **options)
    folders = _mask_folders(path, split)
    if folders is not None:
        if not masks:
            raise ValueError(
                'A folder of masks has no boxes: open it with task="segment". '
                f"Received: spec={os.fspath(path)!r}, task='detect'"
            )
        if (path / _COLORS).is_file():
            names, colors = number_mask_colors(read_mask_colors(path / _COLORS))
            names = names if options["classes"] is None else options["classes"]
            return MaskFolder(*folders, **{**options, "classes": names, "colors": colors})
        training = _mask_folders(path, "train")
        if options["classes"] is None and training not in (None, folders):
            known = MaskFolder(*training, **{**options, "classes": None}).classes
            options = {**options, "classes": known}
        return MaskFolder(*folders, **options)
    below = sorted(entry.name for entry in path.iterdir() if entry.name[0] != ".")
    raise ValueError(
        f"Looked in {path} for {'; '.join(_LAYOUTS)}, where <split> is one of "
        f"{', '.join(split_names(split))}. Received: spec={os.fspath(path)!r}, split={split!r}, "
        f"a folder with {below[:20]}"
    )


def _coco_files(path: Path, split: str) -> tuple[Path, Path] | None:
    """The annotations of a split in one of the layouts of COCO, and the folder of its images."""
    for name in split_names(split):
        # "train2017" is a train, "trainval" is not.
        pattern = re.compile(rf"instances_{re.escape(name)}(?![a-z]).*\.json", re.IGNORECASE)
        files = sorted((path / "annotations").glob("*.json"))
        found = [file for file in files if pattern.fullmatch(file.name)]
        if len(found) > 1:
            raise ValueError(
                f"There must be one file for split {split!r}; name one of several as `spec`. "
                f"Received: {', '.join(map(str, found))}"
            )
        if found:
            return found[0], _coco_images(path, found[0])
        if (path / name / _ROBOFLOW).is_file():
            return path / name / _ROBOFLOW, path / name
    return None


def _coco_images(root: Path, file: Path) -> Path:
    """The folder of the images that `annotations/instances_train2017.json` is about."""
    dated = file.stem.removeprefix("instances_")
    plain = dated.rstrip("0123456789_-")
    for name in (dated, plain):
        for folder in (root / name, root / "images" / name):
            if name and folder.is_dir():
                return folder
    alike = [folder for folder in sorted(root.glob(f"{plain}[0-9]*")) if folder.is_dir()]
    if plain and len(alike) == 1:
        return alike[0]
    if (root / "images").is_dir():
        return root / "images"
    raise ValueError(
        f"Expected the images in {root / dated}, {root / 'images' / dated} or {root / 'images'}. "
        f"Received: {file}, and none of these folders"
    )


def _voc_split(path: Path, split: str, masks: bool) -> str:
    """The name under which a VOC folder has a split; unchanged if it has none."""
    kinds = ("Segmentation", "Main") if masks else ("Main",)
    lists = next((path / "ImageSets" / k for k in kinds if (path / "ImageSets" / k).is_dir()), path)
    names = (name for name in split_names(split) if (lists / f"{name}.txt").is_file())
    return next(names, split)


def _mask_folders(path: Path, split: str) -> tuple[Path, Path] | None:
    """The images and the masks of a split."""
    for name in split_names(split):
        for folders in (
            (path / name / "images", path / name / "masks"),
            (path / "images" / name, path / "masks" / name),
        ):
            if all(folder.is_dir() for folder in folders):
                return folders
    return None
