"""What a training writes down after each epoch: a CSV file and TensorBoard events."""

import csv
import os
import time
from pathlib import Path

import keras

from sweet_keras.core.atomic import atomic_write
from sweet_keras.runs.read_log import read_log


class CSVLog(keras.callbacks.Callback):
    """Writes one row for each epoch: its number, its seconds, and every metric.

    The file is replaced as a whole at each epoch, and rows of epochs that are trained again
    after an interruption are dropped, so that a resumed log has each epoch once.

    Args:
        path: the file.
        spent: seconds of the first epoch that were spent before an interruption.
    """

    def __init__(self, path: str | os.PathLike, spent: float = 0.0) -> None:
        """Keeps the arguments."""
        super().__init__()
        self.path = Path(path)
        self._spent = spent
        self._rows: list[dict[str, float]] | None = None
        self._began = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Starts the clock."""
        if self._rows is None:
            self._rows = [row for row in read_log(self.path) if row["epoch"] <= epoch]
        self._began = time.perf_counter() - self._spent
        self._spent = 0.0

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Writes the row; epochs are counted from one."""
        seconds = round(time.perf_counter() - self._began, 3)
        metrics = {name: float(value) for name, value in (logs or {}).items()}
        self._rows.append({"epoch": epoch + 1, "seconds": seconds, **metrics})
        columns = list(dict.fromkeys(name for row in self._rows for name in row))
        with (
            atomic_write(self.path) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            for row in self._rows:
                writer.writerow({**row, "epoch": int(row["epoch"])})


class TensorBoardLog(keras.callbacks.Callback):
    """Writes the metrics of each epoch for TensorBoard, which need not be installed.

    Keras' own callback of that kind needs TensorFlow.

    Args:
        folder: where the event files go.
    """

    def __init__(self, folder: str | os.PathLike) -> None:
        """Keeps the folder."""
        super().__init__()
        self.folder = Path(folder)
        self._writer = None

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Opens the file; events of epochs that are trained again are marked as void."""
        if self._writer is None:
            from tensorboardX import SummaryWriter

            self._writer = SummaryWriter(os.fspath(self.folder), purge_step=epoch + 1)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Writes each metric at the number of the epoch, counted from one."""
        for name, value in (logs or {}).items():
            self._writer.add_scalar(name, float(value), epoch + 1)
        rate = self.model.optimizer.learning_rate
        self._writer.add_scalar("learning_rate", float(keras.ops.convert_to_numpy(rate)), epoch + 1)
        self._writer.flush()

    def on_train_end(self, logs: dict | None = None) -> None:
        """Closes the file."""
        self.close()

    def close(self) -> None:
        """Closes the file; for trainings that ended in an error."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
