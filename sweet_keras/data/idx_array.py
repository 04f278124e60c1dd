"""The idx file format: one array of numbers behind a header of a few bytes."""

from __future__ import annotations

import gzip
import io
import math
import os
import zlib
from pathlib import Path

import numpy as np

# Third byte of the file, in the format's own numbering; all are big-endian.
_DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

# Deflate cannot shrink data further than this, so a gzip file bounds its content.
_DEFLATE_MAX_RATIO = 1032


def read_idx_array(path: str | os.PathLike[str], max_bytes: int = 2**34) -> np.ndarray:
    """Reads one idx file, plain or compressed with gzip.

    The size that the header announces is checked against the size of the file
    before any memory is taken for it.

    Args:
        path: The file. Compression is recognised by content, not by name.
        max_bytes: Largest array to accept, in bytes.

    Returns:
        The array, in the machine's byte order.

    Raises:
        ValueError: If the file is no idx file, or is truncated or corrupt, has
            bytes after the array, or announces more than `max_bytes`.
        OSError: If the file cannot be opened.
    """
    path = Path(path)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        compressed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not compressed:
            return _parse(file, size, size, max_bytes, path)
        try:
            with gzip.GzipFile(fileobj=file) as stream:
                return _parse(stream, None, size * _DEFLATE_MAX_RATIO, max_bytes, path)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"Corrupt gzip data: {error}. Received: {path}") from error


def _parse(
    stream: io.BufferedIOBase, size: int | None, bound: int, max_bytes: int, path: Path
) -> np.ndarray:
    """Parses an open idx stream of exactly `size` bytes, or of at most `bound`."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _DTYPES or magic[3] == 0:
        raise ValueError(
            "An idx file begins with two zero bytes, a type code and the number of dimensions. "
            f"Received: {path} beginning with {magic!r}"
        )
    dtype, rank = np.dtype(_DTYPES[magic[2]]), magic[3]
    header = stream.read(4 * rank)
    if len(header) < 4 * rank:
        raise ValueError(f"The idx header ends after {4 + len(header)} bytes. Received: {path}")
    shape = tuple(int(n) for n in np.frombuffer(header, ">u4"))
    start, count = 4 + 4 * rank, math.prod(shape) * dtype.itemsize
    if count > max_bytes or start + count > bound or (size is not None and start + count != size):
        found = f"{size} bytes" if size is not None else f"at most {bound} bytes uncompressed"
        raise ValueError(
            f"The idx header announces {dtype} of shape {shape}, {start + count} bytes "
            f"(accepted: {max_bytes}). Received: {path} with {found}"
        )
    if rank > 32:
        raise ValueError(f"An idx array may have 32 dimensions. Received: {path} with {rank}")
    body = stream.read(count + 1)
    if len(body) != count:
        found = "more" if len(body) > count else f"{len(body)}"
        raise ValueError(
            f"Expected {count} bytes after the idx header. Received: {path} with {found}"
        )
    array = np.frombuffer(bytearray(body), dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)
