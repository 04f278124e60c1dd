"""Arrays in a numpy `.npz` file."""

from __future__ import annotations

import contextlib
import functools
import zipfile
from collections.abc import Iterator
from pathlib import Path

from sweet_keras.data.npz_member import member_header, read_member
from sweet_keras.formats.stored import Stored, check_sizes


@contextlib.contextmanager
def open_npz(path: Path) -> Iterator[dict[str, Stored]]:
    """Opens a file; nothing in it is unpickled.

    Args:
        path: The file.

    Yields:
        Its arrays of floats; others, such as counters, are left out.
    """
    with zipfile.ZipFile(path) as archive:
        arrays = {}
        for member in archive.namelist():
            name = member.removesuffix(".npy")
            shape, dtype = member_header(archive, name)
            if dtype.kind == "f":
                arrays[name] = Stored(shape, functools.partial(read_member, archive, name))
        check_sizes(arrays, path.stat().st_size)
        yield arrays
