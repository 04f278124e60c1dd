"""Arrays in a safetensors file."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import safetensors

from sweet_keras.formats.stored import Stored

_FLOATS = ("F64", "F32", "F16", "BF16")


@contextlib.contextmanager
def open_safetensors(path: Path) -> Iterator[dict[str, Stored]]:
    """Opens a file; its declared sizes are those of the file, or it is refused.

    Args:
        path: The file.

    Yields:
        Its arrays of floats; others, such as counters, are left out.
    """
    with safetensors.safe_open(path, framework="np") as file:
        arrays = {}
        for name in file.keys():
            part = file.get_slice(name)
            dtype = part.get_dtype()
            if dtype in _FLOATS:
                read = functools.partial(_read, path, file, name, dtype)
                arrays[name] = Stored(tuple(part.get_shape()), read)
        yield arrays


def _read(path: Path, file: safetensors.safe_open, name: str, dtype: str) -> np.ndarray:
    if dtype != "BF16":
        return file.get_tensor(name)
    # numpy has no bfloat16: the upper half of a float32 with the same bits.
    bits = np.frombuffer(_raw(path, name), "<u2").astype("<u4") << 16
    return bits.view("<f4").reshape(file.get_slice(name).get_shape())


def _raw(path: Path, name: str) -> bytes:
    """The bytes of one array; the header has been checked by safetensors."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        begin, end = json.loads(file.read(length))[name]["data_offsets"]
        file.seek(8 + length + begin)
        return file.read(end - begin)
