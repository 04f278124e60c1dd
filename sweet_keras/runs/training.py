"""One way to train, for every command: logs, checkpoint, resumption, progress."""

import contextlib
import math
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras
from rich.console import Console

from sweet_keras import backends
from sweet_keras.models.kernel_muon import KernelMuon
from sweet_keras.models.warmup_cosine import WarmupCosine
from sweet_keras.runs.checkpoint import Checkpoint, restore_checkpoint
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.logs import CSVLog, TensorBoardLog
from sweet_keras.runs.progress import ProgressBar, closing
from sweet_keras.runs.read_log import read_log

_NO_DECAY = ("bias", "scale", "positions", "class_token", "register_tokens", "mask_token")


class Diverged(RuntimeError):
    """The loss is no longer a number."""


class _StopWhenDiverged(keras.callbacks.Callback):
    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Raises before such a state is saved."""
        for name, value in (logs or {}).items():
            if not math.isfinite(value):
                raise Diverged(
                    f"{name} became {value} in epoch {epoch + 1}. Try a lower --learning-rate, a "
                    "longer --warmup, or --dtype float32. Received: the run is kept as it was "
                    "before that epoch"
                )


@contextlib.contextmanager
def session(dtype: str, seed: int) -> Iterator[None]:
    """Seeds initial weights and dropout and sets the precision of new layers; undone afterwards.

    Keras draws the seed of every initialiser and generator that is given none from Python's
    generator. `keras.utils.set_random_seed` would import TensorFlow wherever it is installed.

    Args:
        dtype: Data type policy.
        seed: 0 or above.
    """
    before, state = keras.config.dtype_policy(), random.getstate()
    random.seed(seed)
    backends.current().device.set_seed(seed)  # not undone
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
        random.setstate(state)


def adamw(
    learning_rate: float,
    steps: int,
    warmup: float,
    weight_decay: float,
    beta_2: float = 0.999,
    accumulate: int = 1,
) -> Any:
    """Returns AdamW with warm-up and cosine; biases, norms and positions are not decayed."""
    optimizer = keras.optimizers.AdamW(
        WarmupCosine(learning_rate, steps, warmup, accumulate),
        weight_decay=weight_decay,
        beta_2=beta_2,
        gradient_accumulation_steps=accumulate if accumulate > 1 else None,
    )
    optimizer.exclude_from_weight_decay(var_names=list(_NO_DECAY))
    return optimizer


def muon(
    learning_rate: float, steps: int, warmup: float, weight_decay: float, accumulate: int = 1
) -> Any:
    """Returns Muon with warm-up and cosine; biases, norms and positions are not decayed."""
    optimizer = KernelMuon(
        WarmupCosine(learning_rate, steps, warmup, accumulate),
        weight_decay,
        gradient_accumulation_steps=accumulate if accumulate > 1 else None,
    )
    optimizer.exclude_from_weight_decay(var_names=list(_NO_DECAY))
    return optimizer


def train(
    model: keras.Model,
    run: RunDirectory,
    batches: Callable[[int], Iterable],
    *,
    steps_per_epoch: int,
    epochs: int,
    label: str,
    console: Console,
    resume: bool = False,
    validation: Iterable | None = None,
    validation_steps: int | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> float:
    """Trains a built and compiled model, writing logs and a checkpoint after each epoch.

    Args:
        model: The model.
        run: Where the logs and the checkpoint go.
        batches: Gives endless batches from a step on, counted from zero.
        steps_per_epoch: Training steps in one epoch.
        epochs: Epochs in all, those of an interrupted run included.
        label: What is trained, for the progress bar.
        console: Where progress is shown.
        resume: Go on from the checkpoint, if there is one.
        validation: Batches to measure after each epoch.
        validation_steps: How many of them.
        callbacks: Further ones, called first.

    Returns:
        Seconds the training took in all, those of an interrupted run included.

    Raises:
        Diverged: If a metric is no longer a number.
    """
    start = 0
    # Variables made within the first step would have TensorFlow trace it twice.
    model.optimizer.build(model.trainable_variables)
    if resume and run.checkpoint.exists():
        start = restore_checkpoint(model, run.checkpoint)
    before = sum(row["seconds"] for row in read_log(run.log) if row["epoch"] <= start)
    began = time.perf_counter()
    if start < epochs:
        # The checkpoint comes last: a row that is logged twice is dropped, a missing one is lost.
        callbacks = [
            *callbacks,
            _StopWhenDiverged(),
            CSVLog(run.log),
            TensorBoardLog(run.tensorboard),
            Checkpoint(run.checkpoint),
            ProgressBar(console, label, steps_per_epoch),
        ]
        with closing(callbacks):
            model.fit(
                batches(start * steps_per_epoch),
                steps_per_epoch=steps_per_epoch,
                initial_epoch=start,
                epochs=epochs,
                shuffle=False,
                verbose=0,
                callbacks=callbacks,
                validation_data=validation,
                validation_steps=validation_steps,
            )
    return before + time.perf_counter() - began
