"""MNIST and its relatives: images and labels in a pair of idx files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from sweet_keras.data.array_source import ArraySource
from sweet_keras.data.idx_array import read_idx_array

_PREFIXES = {"train": "train", "test": "t10k"}


def read_idx(
    path: str | os.PathLike[str], split: str = "train", classes: Sequence[str] | None = None
) -> ArraySource:
    """Reads images, and their labels, from idx files.

    Args:
        path: A folder with the four files of MNIST or Fashion-MNIST
            (`train-images-idx3-ubyte`, …, with or without `.gz`), or one file
            of images. The labels of a file of images are looked for beside it,
            under the same name with `labels` for `images`; without such a file
            the source has no labels.
        split: `"train"` or `"test"`; which files to take from a folder. A
            single file is read whatever the split.
        classes: Names of the classes in the order of the labels.

    Returns:
        The source, named after the folder or the file.

    Raises:
        ValueError: If the files are not there, are truncated or corrupt, do not
            hold uint8 images of rank 3 or 4, or do not fit each other.

    Example:
        ```python
        source = read_idx("datasets/fashion-mnist", split="test")
        ```
    """
    path = Path(path)
    images_file = _images_file(path, split) if path.is_dir() else path
    images = read_idx_array(images_file)
    if images.dtype != "uint8" or images.ndim not in (3, 4):
        raise ValueError(
            "Images in an idx file must be uint8 with the shape (records, height, width[, "
            f"channels]). Received: {images_file} with {images.dtype} of shape {images.shape}"
        )
    labels_file = _labels_file(images_file)
    labels = None if labels_file is None else read_idx_array(labels_file)
    name = path.resolve().name if path.is_dir() else path.name
    return ArraySource(images, labels, classes=classes, name=name)


def _images_file(folder: Path, split: str) -> Path:
    if split not in _PREFIXES:
        raise ValueError(f'`split` must be "train" or "test". Received: split={split!r}')
    found = [
        folder / f"{prefix}-images{mark}idx3-ubyte{suffix}"
        for prefix in (_PREFIXES[split], split)
        for mark in "-."
        for suffix in ("", ".gz")
    ]
    found = [file for file in found if file.is_file()]
    if not found:
        raise ValueError(
            f"Expected a file {_PREFIXES[split]}-images-idx3-ubyte[.gz] for split {split!r}. "
            f"Received: {folder}"
        )
    return found[0]


def _labels_file(images_file: Path) -> Path | None:
    name = images_file.name
    if "images" not in name:
        return None
    name = name.replace("images", "labels").replace("idx3", "idx1").replace("idx4", "idx1")
    plain = name.removesuffix(".gz")
    for candidate in (name, plain, plain + ".gz"):
        if (images_file.parent / candidate).is_file():
            return images_file.parent / candidate
    return None
