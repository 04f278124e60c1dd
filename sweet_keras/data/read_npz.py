"""Arrays in a numpy `.npz` file."""

from __future__ import annotations

import math
import os
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sweet_keras.data.array_source import ArraySource

# Deflate cannot shrink data further than this, so a zip member bounds its content.
_DEFLATE_MAX_RATIO = 1032


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
            with zipfile.ZipFile(file) as archive:
                names = {member.removesuffix(".npy") for member in archive.namelist()}
                images_name, labels_name = next(
                    (pair for pair in pairs if pair[0] in names), (None, None)
                )
                if images_name is None:
                    raise ValueError(
                        f"Expected an array named {' or '.join(pair[0] for pair in pairs)} for "
                        f"split {split!r}. Received: {path} with {sorted(names)}"
                    )
                images = _read_member(archive, images_name, max_bytes, path)
                labels = None
                if labels_name in names:
                    labels = _read_member(archive, labels_name, max_bytes, path)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError) as error:
            raise ValueError(f"Not a sound .npz file: {error}. Received: {path}") from error
        except (NotImplementedError, RuntimeError) as error:  # other compression, encryption
            raise ValueError(f"Unsupported .npz file: {error}. Received: {path}") from error
    return ArraySource(images, labels, classes=classes, name=path.stem)


def _read_member(archive: zipfile.ZipFile, name: str, max_bytes: int, path: Path) -> np.ndarray:
    """Reads one array, after checking its announced size against the file's."""
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
        elif version == (2, 0):
            shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
        else:
            raise ValueError(f"Unknown .npy version {version} of {name!r}. Received: {path}")
        size = math.prod(shape) * dtype.itemsize
        bound = min(info.file_size, info.compress_size * _DEFLATE_MAX_RATIO)
        if dtype.hasobject or size > max_bytes or stream.tell() + size > bound:
            raise ValueError(
                f"Array {name!r} announces {dtype} of shape {shape}, {size} bytes; numbers only, "
                f"at most {max_bytes} bytes, and no more than the file can hold, are accepted. "
                f"Received: {path}"
            )
    with archive.open(info) as stream:
        return np.lib.format.read_array(stream, allow_pickle=False)
