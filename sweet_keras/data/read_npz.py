"""Arrays in a numpy `.npz` file."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from sweet_keras.data.array_source import ArraySource
from sweet_keras.data.npz_member import read_member


def read_npz(
    path: str | os.PathLike[str],
    split: str = "train",
    classes: Sequence[str] | None = None,
    max_bytes: int = 2**34,
) -> ArraySource:
    """Reads images, and their labels, from a `.npz` file.

    Understands the names that Keras (`x_train`, `y_train`) and MedMNIST
    (`train_images`, `train_labels`) use, and for the training split also plain
    `images` and `labels`, or `x` and `y`. Nothing is ever unpickled.

    Args:
        path: The file.
        split: `"train"`, `"test"`, or what else the names in the file say
            (`"val"`).
        classes: Names of the classes in the order of the labels.
        max_bytes: Largest array to accept, in bytes.

    Returns:
        The source, named after the file.

    Raises:
        ValueError: If the file is no sound `.npz` file, has no images for the
            split, or they are no uint8 images.
        OSError: If the file cannot be opened.

    Example:
        ```python
        np.savez_compressed("birds.npz", images=images, labels=labels)
        source = read_npz("birds.npz")
        ```
    """
    path = Path(path)
    pairs = [(f"x_{split}", f"y_{split}"), (f"{split}_images", f"{split}_labels")]
    if split == "train":
        pairs += [("images", "labels"), ("x", "y")]
    with path.open("rb") as file:
        try:
            images, labels = _read_pair(file, pairs, max_bytes)
        except Exception as error:  # zipfile, zlib and numpy raise nearly anything on corrupt data
            reason = str(error) or type(error).__name__
            raise ValueError(
                f"Cannot read the images of split {split!r}: {reason}. Received: {path}"
            ) from error
    return ArraySource(images, labels, classes=classes, name=path.stem)


def _read_pair(
    file: BinaryIO, pairs: list[tuple[str, str]], max_bytes: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Images and labels under the first pair of names that the file has."""
    with zipfile.ZipFile(file) as archive:
        names = {member.removesuffix(".npy") for member in archive.namelist()}
        for images_name, labels_name in pairs:
            if images_name in names:
                images = read_member(archive, images_name, max_bytes)
                if labels_name not in names:
                    return images, None
                return images, read_member(archive, labels_name, max_bytes)
    wanted = " or ".join(pair[0] for pair in pairs)
    raise ValueError(f"no array named {wanted}, but {sorted(names)}")
