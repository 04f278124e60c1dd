"""The callbacks of a training that saves within an epoch, and goes on within one."""

import contextlib
import dataclasses
import signal
import time
from collections.abc import Callable, Sequence

import keras

from sweet_keras import backends
from sweet_keras.distribution.distribute import current
from sweet_keras.runs.checkpoint import Position, Restored
from sweet_keras.runs.checkpoints import Checkpoints
from sweet_keras.runs.interruption import Interrupted, Interruption
from sweet_keras.runs.saving import Saving
from sweet_keras.runs.skipped_steps import SkippedSteps


class ResumableSteps(keras.callbacks.CallbackList):
    """Runs callbacks over calls of `fit` that make up one training, and saves in between.

    An epoch that was interrupted is finished by a `fit` of its own with fewer steps; the callbacks
    see one training, and the epoch's metrics go on from where they were.

    Keras waits for the device before it calls `on_train_batch_end` of its callbacks, unless they
    say that they need not know; a list of them need not wait.

    Args:
        callbacks: The callbacks, called in this order before anything is saved.
        model: The model.
        epochs: Epochs in all.
        steps_per_epoch: Training steps in one epoch.
        restored: Where to go on from.
        checkpoints: Where to save.
        saving: When to save.
        skipped: Who deals with skipped steps.
        interruption: Where signals are noted.
        clock: Gives seconds.
    """

    def __init__(
        self,
        callbacks: Sequence[keras.callbacks.Callback],
        model: keras.Model,
        *,
        epochs: int,
        steps_per_epoch: int,
        restored: Restored,
        checkpoints: Checkpoints,
        saving: Saving,
        skipped: SkippedSteps,
        interruption: Interruption,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Keeps the arguments."""
        super().__init__(
            list(callbacks),
            add_history=True,
            model=model,
            epochs=epochs,
            steps=steps_per_epoch,
            verbose=0,
        )
        self.epochs, self.steps_per_epoch = epochs, steps_per_epoch
        self.restored, self.start = restored, restored.position
        self.checkpoints, self.saving, self.skipped = checkpoints, saving, skipped
        self.interruption, self.clock = interruption, clock
        self.devices = current()
        self.offset = self.start.step
        self._epoch = self.start.epoch
        self.begun = False
        self._random = restored.random or None
        self._epoch_began = self._saved_at = clock()

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Begins once."""
        if not self.begun:
            self.begun = True
            super().on_train_begin(logs)

    def on_train_end(self, logs: dict | None = None) -> None:
        """Ends after the last epoch."""
        if self._epoch == self.epochs or self.model.stop_training:
            super().on_train_end(logs)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Gives an interrupted epoch its metrics and its time back."""
        self._epoch = epoch
        with self.checkpoints.reporting():
            super().on_epoch_begin(epoch, logs)
        self._epoch_began = self.clock()
        if self.offset:
            self.restored.put_metrics(self.model)
            if self.devices is not None:
                self.devices.engine.leave_counts_to_first(self.model)
            self._epoch_began -= self.start.seconds

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Counts from the beginning of the epoch."""
        if self._random is not None:
            # Not before: torch draws a number for each iterator over data that is made.
            backends.current().device.set_random_state(self._random)
            self._random = None
        super().on_train_batch_begin(batch + self.offset, logs)
        self.skipped.training = True

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Saves if it is time, or if there was a signal."""
        self.skipped.training = False
        super().on_train_batch_end(batch + self.offset, logs)
        done = batch + self.offset + 1
        if done == self.steps_per_epoch:
            return  # the end of the epoch saves
        number = self._epoch * self.steps_per_epoch + done
        if number % SkippedSteps.EVERY == 0:
            self.skipped.look(self.model, number)
        signaled, due = self._agreed(number)
        if signaled or due:
            self._save(Position(epoch=self._epoch, step=done))
        if signaled:
            self._stop(signaled, f"after step {done} of epoch {self._epoch + 1}")

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Saves after all callbacks.

        A row that is logged twice is dropped; one that is missing would be lost.
        """
        if self.offset:  # the next epoch is another `fit`, as it would not be without interruption
            self._random = backends.current().device.random_state()
        self._epoch, self.offset = epoch + 1, 0
        logs = dict(logs or {})
        if total := self.skipped.look(self.model, self._epoch * self.steps_per_epoch):
            logs["skipped_steps"] = total
        with self.checkpoints.reporting():
            super().on_epoch_end(epoch, logs)
        self._save(Position(epoch=self._epoch))
        signaled, _ = self._agreed(0)
        if signaled:
            self._stop(signaled, f"after epoch {self._epoch}")

    def _agreed(self, number: int) -> tuple[int, bool]:
        """The signal that came, 0 for none, and whether to save: the same in all processes."""
        received, due = self.interruption.signal or 0, self._due(number)
        if self.devices is None or self.devices.processes == 1:
            return received, due
        if number % SkippedSteps.EVERY:  # rarely, since they wait for each other
            return 0, bool(self.saving.steps) and number % self.saving.steps == 0
        # The first process's clock decides, and any signal.
        answers = self.devices.engine.gather(2 * received + due)
        return max(answers) // 2, bool(answers[0] % 2)

    def _due(self, number: int) -> bool:
        steps, seconds = self.saving.steps, 60 * self.saving.minutes
        if steps and number % steps == 0:
            return True
        return bool(seconds) and self.clock() - self._saved_at >= seconds

    def _save(self, position: Position) -> None:
        if position.step:
            seconds = self.clock() - self._epoch_began
            position = dataclasses.replace(position, seconds=round(seconds, 3))
        number = position.epoch * self.steps_per_epoch + position.step
        together = contextlib.nullcontext()
        if self.devices is not None:
            together = self.devices.engine.counted_together(self.model)
        with together:
            self.checkpoints.save(self.model, self.skipped.note_in(position), number)
        self._saved_at = self.clock()

    def _stop(self, number: int, when: str) -> None:
        name = signal.Signals(number).name
        raise Interrupted(number, f"Interrupted by {name}, saved {when}.")
