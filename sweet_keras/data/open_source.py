"""One line of text to a source, for command lines and configuration files."""

from __future__ import annotations

import os
from pathlib import Path

from sweet_keras.data.array_source import ArraySource
from sweet_keras.data.fashion_mnist import FASHION_MNIST_CLASSES, fashion_mnist
from sweet_keras.data.image_folder import ImageFolder
from sweet_keras.data.read_idx import read_idx
from sweet_keras.data.read_npz import read_npz
from sweet_keras.data.source import Source
from sweet_keras.data.split_names import SPLIT_NAMES, split_names
from sweet_keras.data.tfds_source import TFDSSource


def open_source(
    spec: str | os.PathLike[str],
    split: str = "train",
    *,
    channels: int = 3,
    on_error: str = "raise",
    data_dir: str | os.PathLike[str] | None = None,
) -> Source:
    """Opens the images that a line of text names.

    | `spec` | opened as |
    |---|---|
    | `"fashion-mnist"` | the bundled sample, see `fashion_mnist` |
    | `"tfds:name"`, `"tfds:name/config"` | `TFDSSource` |
    | a file ending in `.npz` | `read_npz` |
    | a folder with idx files, or any other file | `read_idx` |
    | any other folder | `ImageFolder` |

    A folder whose only sub-folders are splits (`train`, and `test` or `val`)
    is opened at the one asked for, with the classes of its training split.
    Write `./fashion-mnist` for a folder of that name.

    Args:
        spec: What to open.
        split: `"train"` or `"test"`; what else the kind of source understands.
        channels: 3 (RGB) or 1 (gray); for image folders only.
        on_error: `"raise"` or `"skip"` broken images; for image folders only.
        data_dir: Where tensorflow-datasets keeps its data; for `tfds:` only.

    Returns:
        The source.

    Raises:
        ValueError: If `spec` is none of these, has no such split, or cannot be
            read.

    Example:
        ```python
        source = open_source("photos/birds", split="test", on_error="skip")
        ```
    """
    text = os.fspath(spec)
    if text == "fashion-mnist":
        return _bundled(split)
    if text.startswith("tfds:"):
        return TFDSSource(text.removeprefix("tfds:"), split, data_dir=data_dir)
    path = Path(text).expanduser()
    if path.is_file():
        return read_npz(path, split) if path.suffix.lower() == ".npz" else read_idx(path, split)
    if not path.is_dir():
        raise ValueError(
            '`spec` must be "fashion-mnist", "tfds:name", an existing folder of images, .npz file '
            f"or idx file. Received: spec={text!r}"
        )
    if any(path.glob("*-images[-.]idx3-ubyte*")):
        return read_idx(path, split)
    return _folder(path, split, channels, on_error)


def _bundled(split: str) -> ArraySource:
    train, test = fashion_mnist()
    if split not in ("train", "test"):
        raise ValueError(f'`split` must be "train" or "test". Received: split={split!r}')
    images, labels = train if split == "train" else test
    return ArraySource(images, labels, FASHION_MNIST_CLASSES, name="fashion-mnist")


def _folder(path: Path, split: str, channels: int, on_error: str) -> ImageFolder:
    """An image folder, or the split of it that was asked for."""
    known = {name for names in SPLIT_NAMES.values() for name in names}
    below = {entry.name for entry in path.iterdir() if entry.is_dir() and entry.name[0] != "."}
    if not below or not below <= known:
        if split != "train":
            raise ValueError(
                "Expected the folders `train` and `test`, with a folder for each class in each; "
                f'without them a folder can be opened as "train" only. Received: {path}, '
                f"split={split!r}"
            )
        return ImageFolder(path, channels, on_error=on_error)
    chosen = [name for name in split_names(split) if name in below]
    if not chosen:
        raise ValueError(
            f"Expected a folder for the split. Received: {path} with {sorted(below)}, "
            f"split={split!r}"
        )
    classes = None
    training = [name for name in split_names("train") if name in below]
    if training and chosen[0] != training[0]:
        found = (entry for entry in (path / training[0]).iterdir() if entry.is_dir())
        classes = sorted(entry.name for entry in found if entry.name[0] != ".") or None
    source = ImageFolder(path / chosen[0], channels, classes=classes, on_error=on_error)
    source.name = path.resolve().name
    return source
