"""Progress bars with the time left; one plain line now and then where there is no terminal."""

import contextlib
import time
from collections.abc import Callable, Iterator

import keras
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_SECONDS_BETWEEN_LINES = 10.0


class ProgressBar(keras.callbacks.Callback):
    """Shows how far a training is, its metrics, and the time left.

    Where the console is no terminal, a line is printed at most every ten seconds and after the
    last epoch.

    Args:
        console: where to print.
        label: what is trained.
        steps_per_epoch: training steps in one epoch.
    """

    # Keras calls `on_train_batch_end` in another thread where that is safe, so that reading the
    # loss does not make the device wait.
    async_safe = True

    def __init__(self, console: Console, label: str, steps_per_epoch: int) -> None:
        """Keeps the arguments."""
        super().__init__()
        self.console = console
        self.label = label
        self.steps_per_epoch = steps_per_epoch
        self._progress: Progress | None = None
        self._epoch = 0
        self._shown = 0.0
        self._printed = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Draws the bar."""
        self._epoch = epoch
        epochs = self.params["epochs"]
        if self._progress is None and self.console.is_terminal:
            self._progress = progress_bar(self.console)
            self._progress.start()
            self._task = self._progress.add_task(
                self.label,
                total=epochs * self.steps_per_epoch,
                completed=epoch * self.steps_per_epoch,
            )

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Moves the bar, at most ten times a second."""
        if self._progress is None or time.perf_counter() - self._shown < 0.1:
            return
        self._shown = time.perf_counter()
        done = self._epoch * self.steps_per_epoch + batch + 1
        self._progress.update(self._task, completed=done, description=self._text(logs))

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Moves the bar, or prints a line."""
        if self._progress is not None:
            done = (epoch + 1) * self.steps_per_epoch
            self._progress.update(self._task, completed=done, description=self._text(logs))
        elif epoch + 1 == self.params["epochs"] or (
            time.perf_counter() - self._printed > _SECONDS_BETWEEN_LINES
        ):
            self._printed = time.perf_counter()
            self.console.print(self._text(logs), markup=False, highlight=False, soft_wrap=True)

    def on_train_end(self, logs: dict | None = None) -> None:
        """Takes the bar away."""
        self.close()

    def close(self) -> None:
        """Takes the bar away; for trainings that ended in an error."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _text(self, logs: dict | None) -> str:
        metrics = "  ".join(f"{name} {float(value):.4g}" for name, value in (logs or {}).items())
        return f"{self.label}  epoch {self._epoch + 1}/{self.params['epochs']}  {metrics}".rstrip()


def progress_bar(console: Console) -> Progress:
    """Returns a progress bar that vanishes when it is done."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        speed_estimate_period=60,
    )


@contextlib.contextmanager
def steps_bar(console: Console, label: str, total: int) -> Iterator[Callable[[str], None]]:
    """Shows how far a number of tasks is.

    Args:
        console: Where to print.
        label: What is done.
        total: Number of tasks.

    Yields:
        A function to call after each task with a line to print.
    """
    with contextlib.ExitStack() as stack:
        task = progress = None
        if console.is_terminal:
            progress = stack.enter_context(progress_bar(console))
            task = progress.add_task(label, total=total)

        def advance(line: str) -> None:
            console.print(line, markup=False, highlight=False)
            if progress is not None:
                progress.advance(task)

        yield advance


@contextlib.contextmanager
def batches_bar(console: Console, label: str) -> Iterator[Callable[[int, int], None]]:
    """Shows how far a pass over data is; nothing where there is no terminal.

    Args:
        console: Where to print.
        label: What is done.

    Yields:
        A function to call with the number of batches done and of all.
    """
    if not console.is_terminal:
        yield lambda done, total: None
        return
    with progress_bar(console) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextlib.contextmanager
def closing(callbacks: list) -> Iterator[list]:
    """Closes files and bars however the training inside ends.

    Keras does not call `on_train_end` after an error or Ctrl-C.

    Args:
        callbacks: callbacks, of which those with a `close` are closed.
    """
    try:
        yield callbacks
    finally:
        for callback in callbacks:
            if hasattr(callback, "close"):
                callback.close()
