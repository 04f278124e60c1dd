"""Memory that is kept from one training step to the next."""

from __future__ import annotations

import ctypes
import os

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # of malloc.h
_CHOSEN_BY_USER = ("GLIBC_TUNABLES", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")


def keep_memory() -> bool:
    """Lets the C library keep freed memory instead of giving it back to the system.

    A training step on a CPU frees and takes hundreds of megabytes. glibc returns large blocks to
    the system at once, and each page that it takes again is a page fault, filled with zeros: for a
    compiled JAX step more than half of the time (measured, see `benchmarks/speed_ledger.md`). The
    process keeps the memory it once needed. `sweet` calls this itself; a program of your own calls
    it once, at its start. It does nothing on a GPU, whose memory the framework keeps anyway.

    Returns:
        Whether it was done: not without glibc, nor where an environment variable has set one of
        these values already.

    Example:
    ```python
    sk.keep_memory()
    mae.fit(images, epochs=100)
    ```
    """
    if any(name in os.environ for name in _CHOSEN_BY_USER):
        return False
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018 - others have a `mallopt` of another kind
        change = library.mallopt
    except (OSError, AttributeError, TypeError):
        return False
    values = {_MMAP_THRESHOLD: 2**30, _TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 2**26}
    return all([change(option, value) for option, value in values.items()])
