"""What the three `device.set_threads` have in common."""

import os

__all__ = ["check_threads", "default_threads"]


def check_threads(n: int) -> int:
    """Returns `n` if it is a positive integer.

    Raises:
        ValueError: `n` is anything else.
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"Argument `n` must be a positive number of threads. Received: n={n!r}")
    return n


def default_threads() -> int:
    """Returns the number of CPU cores this process may use: the frameworks' own default."""
    if hasattr(os, "sched_getaffinity"):  # Linux; it knows about taskset and containers
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
