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
from sweet_keras.backends.own_batches import OwnRows
from sweet_keras.backends.patched import patched
from sweet_keras.models.kernel_muon import KernelMuon
from sweet_keras.models.take_average import take_average
from sweet_keras.models.warmup_cosine import WarmupCosine
from sweet_keras.runs.checkpoint import Position, Restored
from sweet_keras.runs.checkpoints import Checkpoints
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.interruption import noted_signals
from sweet_keras.runs.logs import CSVLog, TensorBoardLog
from sweet_keras.runs.progress import ProgressBar, closing
from sweet_keras.runs.read_log import read_log
from sweet_keras.runs.resumable_steps import ResumableSteps
from sweet_keras.runs.saving import Saving
from sweet_keras.runs.skipped_steps import Diverged, SkippedSteps

__all__ = ["Diverged", "Saving", "adamw", "muon", "session", "train"]

_NO_DECAY = ("bias", "scale", "positions", "class_token", "register_tokens", "mask_token")
_SAVING = Saving()


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
    learning_rate: float,
    steps: int,
    warmup: float,
    weight_decay: float,
    average: float = 0.0,
    accumulate: int = 1,
) -> Any:
    """Returns Muon with warm-up and cosine; biases, norms and positions are not decayed.

    With a momentum `average` the moving average of the weights takes their place in the end.
    """
    optimizer = KernelMuon(
        WarmupCosine(learning_rate, steps, warmup, accumulate),
        weight_decay,
        use_ema=average > 0,
        ema_momentum=average ** (1 / accumulate),  # Keras averages after each part
        gradient_accumulation_steps=accumulate if accumulate > 1 else None,
    )
    optimizer.exclude_from_weight_decay(var_names=list(_NO_DECAY))
    return optimizer


def train(
    model: keras.Model,
    run: RunDirectory,
    batches: Callable[..., Iterable],
    *,
    steps_per_epoch: int,
    epochs: int,
    label: str,
    console: Console,
    resume: bool = False,
    saving: Saving = _SAVING,
    validation: Iterable | None = None,
    validation_steps: int | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> float:
    """Trains a built and compiled model, writing logs and checkpoints.

    A checkpoint is written after each epoch, and as `saving` says; at SIGTERM and SIGINT the step
    is finished and saved. A training that goes on ends as one that was never interrupted.

    Args:
        model: The model.
        run: Where the logs and the checkpoint go.
        batches: Gives endless batches from `start_step` on, counted from zero.
        steps_per_epoch: Training steps in one epoch.
        epochs: Epochs in all, those of an interrupted run included.
        label: What is trained, for the progress bar.
        console: Where progress is shown.
        resume: Go on from the newest checkpoint, if there is one.
        saving: When checkpoints are written, and what is kept.
        validation: Batches to measure after each epoch.
        validation_steps: How many of them.
        callbacks: Further ones, called first.

    Returns:
        Seconds the training took in all, those of an interrupted run included.

    Raises:
        Diverged: If a metric is no longer a number, or too many steps have no finite gradient.
        Interrupted: At a signal, once the state is saved.
        NotSaved: If something cannot be written.
    """
    # Variables made within the first step would have TensorFlow trace it twice.
    model.optimizer.build(model.trainable_variables)
    checkpoints = Checkpoints(run.checkpoints, saving.keep)
    with contextlib.ExitStack() as stack:
        interruption = stack.enter_context(noted_signals())
        skipped = SkippedSteps(model, saving.skip_limit, console.print)
        stack.callback(skipped.close)
        restored = checkpoints.restore(model) if resume else None
        restored = restored or Restored(Position(epoch=0))
        start = restored.position
        first, done = start.epoch, start.epoch * steps_per_epoch + start.step
        if start.step >= steps_per_epoch:
            raise ValueError(
                f"The data must be those of the interrupted run, with more than {start.step} steps "
                f"in an epoch. Received: data with {steps_per_epoch}"
            )
        if start.step and len(restored.metrics) != len(model.metrics_variables):
            # Some metrics are made when they are first needed, on TensorFlow within the step.
            model.evaluate(_whole(batches(start_step=done)), steps=1, verbose=0)
            restored = checkpoints.restore(model)
        skipped.go_on_from(start)
        before = sum(row["seconds"] for row in read_log(run.log) if row["epoch"] <= start.epoch)
        began = time.perf_counter() - before - start.seconds
        if start.epoch >= epochs:
            take_average(model)  # as `fit` ends
            return time.perf_counter() - began
        callbacks = [
            *callbacks,
            _StopWhenDiverged(),
            CSVLog(run.log, start.seconds),
            TensorBoardLog(run.tensorboard),
            ProgressBar(console, label, steps_per_epoch),
        ]
        stack.enter_context(closing(callbacks))
        steps = ResumableSteps(
            callbacks,
            model,
            epochs=epochs,
            steps_per_epoch=steps_per_epoch,
            restored=restored,
            checkpoints=checkpoints,
            saving=saving,
            skipped=skipped,
            interruption=interruption,
        )
        parts = [(steps_per_epoch, epochs)]
        if start.step:
            parts.insert(0, (steps_per_epoch - start.step, first + 1))
        for length, last in parts:
            if first == epochs or (steps.begun and model.stop_training):
                break
            with _not_the_end(model) if last < epochs else contextlib.nullcontext():
                model.fit(
                    batches(start_step=done),
                    steps_per_epoch=length,
                    initial_epoch=first,
                    epochs=last,
                    shuffle=False,
                    verbose=0,
                    callbacks=steps,
                    validation_data=validation,
                    validation_steps=validation_steps,
                )
            first, done = last, last * steps_per_epoch
    return time.perf_counter() - began


def _whole(batches: Iterable) -> Iterable:
    """Batches as `evaluate` takes them in any process, for its metrics to be made."""
    return batches.batches if isinstance(batches, OwnRows) else batches


def _not_the_end(model: keras.Model) -> contextlib.AbstractContextManager:
    """Lets a `fit` that is not the last one leave the weights as they are.

    Keras would put their average in their place, where an optimizer keeps one.
    """
    return patched(model.optimizer, finalize_variable_values=lambda variables: None)
