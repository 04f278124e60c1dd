"""The last few checkpoints of a training, in one folder."""

import contextlib
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import keras

from sweet_keras.distribution.distribute import is_writer
from sweet_keras.runs.checkpoint import (
    Position,
    Restored,
    Unreadable,
    checkpoint_arrays,
    restore_checkpoint,
    write_checkpoint,
)

_NAME = re.compile(r"step-(\d{9,})\.safetensors")
_OLDER = "state.safetensors"  # the one file that versions before 0.2 wrote


class NotSaved(RuntimeError):
    """Something could not be written while training."""


class Checkpoints:
    """Writes checkpoints, keeps the last of them, and finds the newest that can be read.

    Only one process may write into a folder at a time, see `RunDirectory.held`.

    Args:
        folder: Where they lie; its own folder must exist when something is written.
        keep: How many are kept, at least one.
    """

    def __init__(self, folder: str | os.PathLike, keep: int = 2) -> None:
        """Keeps the arguments; writes nothing."""
        self.folder, self.keep = Path(folder), keep

    def files(self) -> list[Path]:
        """The checkpoints that lie here, the newest first."""
        found = [path for path in self.folder.glob("step-*") if _NAME.fullmatch(path.name)]
        found.sort(key=lambda path: int(_NAME.fullmatch(path.name)[1]), reverse=True)
        older = self.folder / _OLDER
        return [*found, older] if older.exists() else found

    def save(self, model: keras.Model, position: Position, number: int) -> Path:
        """Writes one, and removes those that are too many.

        Of several processes that train together all have to call it; the first one writes.

        Args:
            model: A built and compiled model.
            position: How far the training is.
            number: Steps done in all.

        Returns:
            The file.

        Raises:
            NotSaved: If it cannot be written; those that lie here are left alone.
        """
        path = self.folder / f"step-{number:09d}.safetensors"
        arrays = checkpoint_arrays(model, position)
        if not is_writer():
            return path
        with self.reporting():
            if not self.folder.exists():
                self.folder.mkdir()
            write_checkpoint(arrays, path, position)
            for old in self.files()[self.keep :]:
                old.unlink(missing_ok=True)
        return path

    def restore(self, model: keras.Model) -> Restored | None:
        """Puts the newest state that can be read into a model; warns about newer ones.

        What a killed process left half written is removed.

        Args:
            model: A model built and compiled like the one that was saved.

        Returns:
            How far the training was; nothing if there is no checkpoint.

        Raises:
            ValueError: If none can be read, or they belong to another model.
        """
        for half_written in self.folder.glob(".step-*.safetensors"):
            half_written.unlink(missing_ok=True)
        files = self.files()
        for index, path in enumerate(files):
            try:
                return restore_checkpoint(model, path)
            except Unreadable as error:
                if index + 1 == len(files):
                    raise
                reason = " ".join(str(error).split())
            warnings.warn(
                f"Going on from an older checkpoint, {files[index + 1].name}: {reason}",
                stacklevel=2,
            )
        return None

    @contextlib.contextmanager
    def reporting(self) -> Iterator[None]:
        """Says what is left when something cannot be written.

        Raises:
            NotSaved: In place of the error of the operating system.
        """
        try:
            yield
        except (OSError, ValueError) as error:
            # A writer says with a ValueError that the folder of a file has gone.
            if isinstance(error, ValueError) and self.folder.parent.is_dir():
                raise
            files = self.files()
            kept = f"The last checkpoint is {files[0]}" if files else "There is no checkpoint yet"
            raise NotSaved(
                f"The training stopped because something could not be written: {error}. {kept}. "
                "When the folder can be written again, go on with --resume"
            ) from error
