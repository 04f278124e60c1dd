"""The folder of one run: what lies where, and when it may be written to."""

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from sweet_keras.core.atomic import atomic_write
from sweet_keras.runs.claims import claim
from sweet_keras.runs.config import Config, flag, normalise_keys, option_name, read_values
from sweet_keras.runs.environment import write_environment
from sweet_keras.runs.read_log import read_log

# All that a run writes; `--overwrite` removes these and nothing else.
_CONTENTS = (
    "config.yaml",
    "environment.json",
    "log.csv",
    "tensorboard",
    "checkpoint",
    "sources",
    "cells",
    "locks",
    "results.csv",
    "results.md",
    "figures",
    "template.sweet",
    "model.keras",
    "reconstruction.npz",
    "examples.npz",
    "samples.npz",
    "results.json",
    "report.html",
)

State = Literal["new", "unfinished", "finished"]


class RunDirectory:
    """A folder that holds the options, logs, checkpoint and results of one run.

    A run is unfinished from the moment its `config.yaml` is written until its `results.json` is.

    Args:
        path: the folder; made by `start`.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        """Names the folder; writes nothing."""
        self.path = Path(path)

    config = property(lambda self: self.path / "config.yaml", doc="All options.")
    environment = property(lambda self: self.path / "environment.json", doc="Versions.")
    log = property(lambda self: self.path / "log.csv", doc="One row for each epoch.")
    tensorboard = property(lambda self: self.path / "tensorboard", doc="Event files.")
    checkpoints = property(lambda self: self.path / "checkpoint", doc="States to resume from.")
    template = property(lambda self: self.path / "template.sweet", doc="The template.")
    model = property(lambda self: self.path / "model.keras", doc="The fine-tuned model.")
    reconstruction = property(lambda self: self.path / "reconstruction.npz", doc="Images (npz).")
    examples = property(lambda self: self.path / "examples.npz", doc="Test images (npz).")
    samples = property(lambda self: self.path / "samples.npz", doc="Generated images (npz).")
    results = property(lambda self: self.path / "results.json", doc="What came out.")
    sources = property(lambda self: self.path / "sources", doc="What was pre-trained.")
    cells = property(lambda self: self.path / "cells", doc="One fine-tuning each.")
    locks = property(lambda self: self.path / "locks", doc="Claims of processes.")
    markdown = property(lambda self: self.path / "results.md", doc="Tables and figures.")
    table = property(lambda self: self.path / "results.csv", doc="One row for each fine-tuning.")
    report = property(lambda self: self.path / "report.html", doc="The report.")
    figures = property(lambda self: self.path / "figures", doc="The report's figures as PNG.")

    @property
    def state(self) -> State:
        """Whether a run lies here, and whether it was finished."""
        if self.results.exists():
            return "finished"
        return "unfinished" if self.config.exists() else "new"

    def saved_options(self, command: str) -> dict[str, Any]:
        """Returns the options of the run that lies here.

        Args:
            command: the command that wants to go on with it, such as `"pretrain"`.

        Raises:
            ValueError: if there is no run here, or it was started by another command.
        """
        if not self.config.exists():
            raise ValueError(
                f"--resume needs a run that was started before: a folder with config.yaml in it. "
                f"Received: {self.path}"
            )
        if self.environment.exists():
            started = read_values(self.environment).get("command")
            if started not in (None, command):
                raise ValueError(
                    f"--resume needs a run started by 'sweet {command}'. "
                    f"Received: {self.path}, started by 'sweet {started}'"
                )
        return read_values(self.config)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keeps other processes from training here for as long as the block lasts.

        Raises:
            ValueError: if another process does, or the folder cannot be written to.
        """
        if self.path.exists() and not self.path.is_dir():
            raise ValueError(f"--out must be a folder. Received: {self.path}, a file")
        self._make()
        with contextlib.ExitStack() as stack:
            try:
                # Not in `locks`, which `--overwrite` removes.
                granted = stack.enter_context(claim(self.path / ".running"))
            except OSError as error:
                raise ValueError(
                    "--out must be a folder that can be written to. "
                    f"Received: {self.path} ({error.strerror})"
                ) from error
            if not granted:
                raise ValueError(
                    "--out must be a folder in which no other process is training. "
                    f"Received: {self.path}, which one uses now"
                )
            yield

    def _make(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(
                f"--out must be a folder that can be made. Received: {self.path} ({error.strerror})"
            ) from error

    def start(self, *, overwrite: bool = False, resume: bool = False) -> None:
        """Makes the folder, or refuses to touch what lies there.

        Args:
            overwrite: remove the run that lies here; other files are left alone.
            resume: go on with the run that lies here; nothing is removed.

        Raises:
            ValueError: if something is there and neither argument covers it.
        """
        if resume:
            self._make()
            return
        if self.path.exists() and not self.path.is_dir():
            raise ValueError(f"--out must be a folder. Received: {self.path}, a file")
        if self.state != "new" and not overwrite:
            ways = "--overwrite to start anew"
            if self.state == "unfinished":
                ways = "--resume to go on with it, or " + ways
            raise ValueError(
                f"--out must be a new folder; pass {ways}. "
                f"Received: {self.path}, which holds a run that is {self.state}"
            )
        if self.state == "new" and self.path.exists():
            taken = sorted({item.name for item in self.path.iterdir()} & set(_CONTENTS))
            if taken:
                raise ValueError(
                    "--out must be a new or empty folder. "
                    f"Received: {self.path}, which holds {', '.join(taken)} but no run"
                )
        self._make()
        for name in _CONTENTS:
            item = self.path / name
            if item.is_dir() and not item.is_symlink():
                shutil.rmtree(item)
            else:
                item.unlink(missing_ok=True)

    def write_config(self, config: Config) -> None:
        """Writes every option, with an explanation of each, to `config.yaml`."""
        with atomic_write(self.config) as path:
            path.write_text(config.to_yaml(), encoding="utf-8")

    def begin(
        self,
        config: Config,
        command: str,
        *,
        overwrite: bool = False,
        resume: bool = False,
        arguments: Sequence[str] | None = None,
    ) -> None:
        """Starts a run, and writes down its options and what it is made with.

        Args:
            config: all options.
            command: the command, such as `"pretrain"`.
            overwrite: as for `start`.
            resume: as for `start`.
            arguments: the command line after `sweet`, if there is one.

        Raises:
            ValueError: as `start`.
        """
        self.start(overwrite=overwrite, resume=resume)
        self.write_config(config)
        write_environment(self.environment, command, arguments)


def resumed_options(
    config_class: type[Config], given: dict[str, Any], run: RunDirectory, command: str
) -> dict[str, Any]:
    """Returns the options to go on with: those of the run, with the changes that are allowed.

    Lists that may change, such as the methods of a comparison, only grow: what is given anew comes
    after what was there.

    Args:
        config_class: the options of `command`.
        given: options given anew, by name.
        run: the run to go on with.
        command: the command, such as `"pretrain"`.

    Raises:
        ValueError: naming the first option that is not what the run was started with, or an epoch
            that is past.
    """
    saved = run.saved_options(command)
    given = normalise_keys(config_class, given, "the options")
    before = config_class.from_mapping(saved, str(run.config)).to_mapping()
    now = config_class.from_mapping({**before, **given}).to_mapping()
    for name, value in now.items():
        if name in given and isinstance(value, list) and isinstance(before[name], list):
            more = [new for new in value if new not in before[name]]
            given[name] = now[name] = [*before[name], *more]
    trained = len(read_log(run.log))
    if now.get("epochs", trained) < trained:
        raise ValueError(
            f"--epochs must be at least {trained}, those that are trained already. "
            f"Received: {now['epochs']}"
        )
    fields = config_class.options().values()
    changeable = [flag(field) for field in fields if field.metadata["may_change"]]
    for field in fields:
        name = option_name(field)
        if name == "out" or field.metadata["may_change"] or now[name] == before[name]:
            continue
        raise ValueError(
            f"{flag(field)} cannot change with --resume; only {', '.join(changeable)} can. "
            f"Expected {before[name]!r}, as in {run.config}. Received: {now[name]!r}"
        )
    return {**before, **given}
