"""The clock that everything here is timed by.

The wall's by default. On a machine that is shared, the processor time of this process, with one
thread, is not disturbed by others taking turns on the core (their use of caches and memory still
is).
"""

import time

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
_chosen = "wall"


def use(name: str) -> None:
    """Chooses one of `CLOCKS`."""
    global _chosen
    _chosen = name


def now() -> float:
    """Seconds since some moment."""
    return CLOCKS[_chosen]()
