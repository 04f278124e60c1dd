"""Arrays in the files of Keras, `.weights.h5` and `.keras`, by their paths in the HDF5 file."""

from __future__ import annotations

import contextlib
import functools
import json
import math
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from sweet_keras.formats.stored import Stored, check_sizes

_WEIGHTS, _CONFIG = "model.weights.h5", "config.json"
_LARGEST_CONFIG = 1 << 24


@contextlib.contextmanager
def open_h5(path: Path) -> Iterator[dict[str, Stored]]:
    """Opens a `.weights.h5` file.

    Args:
        path: The file.

    Yields:
        Its arrays of floats. Links are not followed, and arrays that lie in another file, or are
        said to be larger than what is stored of them, are refused.
    """
    with h5py.File(path, "r") as file:
        arrays: dict[str, Stored] = {}

        def visit(name: str, thing: Any) -> None:
            if isinstance(thing, h5py.Dataset) and thing.dtype.kind == "f":
                size = math.prod(thing.shape) * thing.dtype.itemsize
                if thing.external or thing.is_virtual or thing.id.get_storage_size() < size:
                    raise ValueError(f"array {name!r} is not whole in the file")
                arrays[name] = Stored(tuple(thing.shape), functools.partial(thing.__getitem__, ()))

        file.visititems(visit)
        check_sizes(arrays, path.stat().st_size)
        yield arrays


@contextlib.contextmanager
def open_keras(path: Path) -> Iterator[tuple[dict[str, Stored], dict[str, Any]]]:
    """Opens a `.keras` file. The objects it describes are not made.

    Args:
        path: The file.

    Yields:
        Its arrays, and its configuration.
    """
    config = keras_config(path)
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        check_sizes(
            {_WEIGHTS: Stored((archive.getinfo(_WEIGHTS).file_size // 4,), bytes)},
            path.stat().st_size,
        )
        with open_h5(Path(archive.extract(_WEIGHTS, folder))) as arrays:
            yield arrays, config


def keras_config(path: Path) -> dict[str, Any]:
    """The configuration in a `.keras` file.

    Raises:
        ValueError: If there is none, or it is too large.
    """
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo(_CONFIG).file_size > _LARGEST_CONFIG:
            raise ValueError("a configuration of more than 16 MiB")
        config = json.loads(archive.read(_CONFIG))
    if not isinstance(config, dict):
        raise ValueError("a configuration that is no JSON object")
    return config
