"""Where a training on several devices runs and writes: one process writes, the others do not."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from sweet_keras.distribution.distribute import current, distribute
from sweet_keras.runs.checkpoints import Checkpoints
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.training_config import TrainingConfig

# What a run is judged and gone on with by.
_READ = ("config", "environment", "log", "results")


@contextlib.contextmanager
def on_devices(
    config: TrainingConfig, console: Console | None = None
) -> Iterator[tuple[RunDirectory, Console]]:
    """Enters the devices that are asked for.

    All processes compute the same and call the same functions, since they have to meet in many of
    them. Those that do not write are given a copy of what lies in the run directory, which is
    removed afterwards, and a console that shows nothing.

    Args:
        config: The options.
        console: Where progress is shown.

    Yields:
        The run directory and the console of this process.
    """
    console = console or Console(stderr=True)
    if config.devices == "1":
        yield RunDirectory(config.out), console
        return
    with distribute(config.devices) as devices:
        if devices.is_writer:
            devices.wait()  # until the others have read what is there
            yield RunDirectory(config.out), console
            return
        with tempfile.TemporaryDirectory() as folder:
            own = RunDirectory(Path(folder) / "run")
            _copy(RunDirectory(config.out), own)
            devices.wait()
            yield own, Console(quiet=True)


@contextlib.contextmanager
def held(run: RunDirectory) -> Iterator[None]:
    """Keeps other trainings out of the folder for as long as the block lasts.

    Of several processes that train together the first one locks it, the others are told.

    Args:
        run: The run directory that `on_devices` has given this process.

    Raises:
        ValueError: If another training is there, or the folder cannot be written to.
    """
    devices = current()
    if devices is None or devices.processes == 1:
        with run.held():
            yield
        return
    with contextlib.ExitStack() as stack:
        refusal = None
        if devices.is_writer:
            try:
                stack.enter_context(run.held())
            except ValueError as error:
                refusal = error
        refused = any(devices.engine.gather(int(refusal is not None)))
        if refusal is not None:
            raise refusal
        if refused:
            raise ValueError(
                "--out must be a folder that the first process can train in. "
                "Received: one that it refuses, as it says itself"
            )
        yield


def _copy(run: RunDirectory, own: RunDirectory) -> None:
    for name in _READ:
        source, target = getattr(run, name), getattr(own, name)
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    for source in Checkpoints(run.checkpoints).files():
        own.checkpoints.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, own.checkpoints / source.name)
