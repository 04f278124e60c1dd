"""Arrays that lie in a file: what they are is known before they are read."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping

import numpy as np

# Trained weights hardly compress. Beyond this, a small file fills the memory.
_MAX_RATIO = 100
_ALWAYS_FINE = 1 << 26


@dataclasses.dataclass(frozen=True)
class Stored:
    """An array that has not been read.

    Attributes:
        shape: As the file declares it.
        read: Reads it, as floats.
    """

    shape: tuple[int, ...]
    read: Callable[[], np.ndarray]


def of_array(array: np.ndarray) -> Stored:
    """An array that is in memory already."""
    return Stored(tuple(array.shape), lambda: array)


def check_sizes(arrays: Mapping[str, Stored], file_size: int) -> None:
    """Refuses arrays that are far larger than the file they are said to lie in.

    Args:
        arrays: All of a file.
        file_size: In bytes.

    Raises:
        ValueError: If they need more than 100 times as many bytes, and more than 64 MiB.
    """
    declared = sum(4 * math.prod(stored.shape) for stored in arrays.values())
    if declared > max(_MAX_RATIO * file_size, _ALWAYS_FINE):
        raise ValueError(f"a file of {file_size} bytes that declares {declared} bytes of arrays")
