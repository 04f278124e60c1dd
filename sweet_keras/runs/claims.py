"""Claims of work that several processes share."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def claim(path: Path) -> Iterator[bool]:
    """Claims something for as long as the block lasts, unless another process holds it.

    An advisory lock on a file: the kernel releases it when the process ends, however it ends. The
    file stays; it means nothing by itself.

    Args:
        path: The file; made if it is not there, with its folder.

    Yields:
        Whether the claim was granted.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            granted = True
        except BlockingIOError:
            granted = False
        yield granted  # closing the file releases it
