"""Which rows of a batch a device has, for what is drawn at random and for what is counted.

Where a device sees its own rows only (torch, TensorFlow), a model still has to do what one device
would have done with the whole batch. The engines say here which rows these are, for the time of a
step; `sweet_keras.layers.own_rows` reads it. JAX shows a model the whole batch: nothing is said.
"""

import contextlib
import dataclasses
import threading
from collections.abc import Iterator
from typing import Any

__all__ = ["Rows", "held_rows", "holding"]


@dataclasses.dataclass(frozen=True)
class Rows:
    """Rows dealt like cards: row i of this device is row `index + i * count` of the batch.

    Dealt that way, what a model does with the first rows of a batch and what with the rest is
    shared evenly as well.

    Attributes:
        index: Number of the device, from 0.
        count: Number of devices.
        total: Rows of the whole batch, an integer or an integer tensor.
    """

    index: int
    count: int
    total: Any

    def among_first(self, first: Any) -> Any:
        """Returns how many of the first `first` rows of the whole batch are here."""
        return (first - self.index + self.count - 1) // self.count


_state = threading.local()  # the replicas of TensorFlow run in threads of one process


def held_rows() -> Rows | None:
    """Returns the rows of the step that is running; `None` where a model sees whole batches."""
    return getattr(_state, "rows", None)


@contextlib.contextmanager
def holding(rows: Rows) -> Iterator[None]:
    """Says which rows are here while a step runs.

    Args:
        rows: The rows.
    """
    before = held_rows()
    _state.rows = rows
    try:
        yield
    finally:
        _state.rows = before
