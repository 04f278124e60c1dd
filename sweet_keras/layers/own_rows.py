"""What one device would have drawn and split for the whole batch, taken for the rows that are here.

All devices draw the same numbers for the whole batch, each takes those of its rows. With one
device, or on JAX, where a model sees whole batches, nothing is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from sweet_keras.backends.rows import held_rows

Tensor = Any


def draw_rows(draw: Callable[..., Tensor], shape: tuple, seed: keras.random.SeedGenerator):
    """Random numbers for the rows that are here.

    Args:
        draw: `keras.random.uniform`, or another function with `seed` and `dtype`.
        shape: Of the numbers, rows first.
        seed: The generator, in the same state on every device.

    Returns:
        A float32 tensor of that shape.
    """
    rows = held_rows()
    if rows is None:
        return draw(shape, seed=seed, dtype="float32")
    numbers = draw((rows.total, *shape[1:]), seed=seed, dtype="float32")
    return numbers[rows.index :: rows.count]


def count_first_rows(rows_here: int | Tensor, share_of_last: float) -> int | Tensor:
    """How many of the rows that are here come before the last ones of the whole batch.

    Args:
        rows_here: Rows of this device, an integer, or a tensor in a graph of TensorFlow.
        share_of_last: Share of the whole batch that is last; at least one row is not.
    """
    rows = held_rows()
    total = rows_here if rows is None else rows.total
    if isinstance(total, int):
        first = max(1, total - round(share_of_last * total))
    else:
        last = ops.cast(ops.round(share_of_last * ops.cast(total, "float32")), "int32")
        first = ops.maximum(1, total - last)
    return first if rows is None else rows.among_first(first)


class OwnRowsDropout(keras.layers.Dropout):
    """Dropout as one device would have it in the rows that are here; `keras.layers.Dropout`."""

    def call(self, inputs, training=False):
        rows = held_rows()
        if rows is None or not training or not self.rate:
            return super().call(inputs, training=training)
        shape = self.noise_shape or inputs.shape
        shape = (rows.total, *(s or i for s, i in zip(shape[1:], inputs.shape[1:], strict=True)))
        kept = keras.random.dropout(
            ops.ones(shape, inputs.dtype),
            self.rate,
            noise_shape=shape if self.noise_shape else None,
            seed=self.seed_generator,
        )
        return inputs * kept[rows.index :: rows.count]
