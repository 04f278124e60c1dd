"""Seconds of a step within `model.fit`: the way a user trains."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from .clock import now


def fit_seconds(model: Any, batches: Sequence[tuple], steps: int) -> Callable[[], float]:
    """Returns what trains for some steps and gives the seconds of one.

    The clock runs from the end of the first step to the end of the last: what `fit` does once, and
    compilation, are not in it. Everything between steps is.

    Args:
        model: Compiled.
        batches: Tuples of arrays, taken in turns.
        steps: Steps that are timed.
    """
    import keras

    class Clock(keras.callbacks.Callback):
        async_safe = True  # `fit` works ahead, as it does for who gives no callback

        def on_epoch_begin(self, epoch, logs=None):
            self.ends = {}

        def on_train_batch_end(self, batch, logs=None):
            if batch in (0, steps):
                float(logs["loss"])  # waits for a device that works ahead
                self.ends[batch] = now()

    clock = Clock()

    def run() -> float:
        model.fit(
            (batch for batch in itertools.cycle(batches)),  # Keras knows generators only
            steps_per_epoch=steps + 1,
            shuffle=False,
            verbose=0,
            callbacks=[clock],
        )
        return (clock.ends[steps] - clock.ends[0]) / steps

    return run
