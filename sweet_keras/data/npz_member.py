"""One array of a numpy `.npz` file, read without unpickling."""

from __future__ import annotations

import math
import zipfile

import numpy as np

# Deflate cannot shrink data further than this, so a zip member bounds its content.
_DEFLATE_MAX_RATIO = 1032


def member_header(
    archive: zipfile.ZipFile, name: str, max_bytes: int = 2**40
) -> tuple[tuple[int, ...], np.dtype]:
    """Reads what an array is, and checks its announced size against the file's.

    Args:
        archive: The open file.
        name: Of the array.
        max_bytes: Largest array to accept, in bytes.

    Returns:
        Its shape and type.

    Raises:
        ValueError: If it is no array of numbers, too large, or larger than the file can hold.
    """
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
        elif version == (2, 0):
            shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
        else:
            raise ValueError(f"array {name!r} has the unknown .npy version {version}")
        size = math.prod(shape) * dtype.itemsize
        bound = min(info.file_size, info.compress_size * _DEFLATE_MAX_RATIO)
        if dtype.hasobject or min(shape, default=0) < 0 or size > max_bytes:
            raise ValueError(
                f"array {name!r} is {dtype} of shape {shape}, {size} bytes, but only numbers are "
                f"accepted, at most {max_bytes} bytes"
            )
        if stream.tell() + size > bound:
            raise ValueError(
                f"array {name!r} of shape {shape}, {size} bytes, is more than the file can hold"
            )
    return shape, dtype


def read_member(archive: zipfile.ZipFile, name: str, max_bytes: int = 2**40) -> np.ndarray:
    """Reads an array, after `member_header` has accepted it."""
    member_header(archive, name, max_bytes)
    with archive.open(f"{name}.npy") as stream:
        return np.lib.format.read_array(stream, allow_pickle=False)
