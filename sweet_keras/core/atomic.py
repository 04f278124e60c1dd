"""Files and folders that are either whole or not there."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives a temporary path beside `path`; renames it to `path` when the block ends well.

    The file is flushed to the disk before it is renamed. When the block raises, the temporary file
    is removed and what stood at `path` stays as it was. The temporary name keeps the suffix, for
    writers that look at it.

    Raises:
        ValueError: If the folder does not exist, or a folder stands at `path`.
    """
    target = _target(path)
    if target.is_dir():
        raise ValueError(f"`path` must be a file. Received: {str(target)!r}, a folder")
    handle, name = tempfile.mkstemp(
        dir=target.parent, prefix=f".{target.stem}-", suffix=target.suffix
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _open_to_others(temporary)  # mkstemp makes files for the owner alone
        _flush(temporary)
        temporary.replace(target)
        _flush(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: str | os.PathLike[str], replaced: Iterable[str] = ()) -> Iterator[Path]:
    """As `atomic_write`, for a folder: gives a new one beside `path`, and renames it at the end.

    A folder that stands at `path` is replaced if it holds nothing but files of the same names, and
    of those in `replaced`: it may be anybody's.

    Raises:
        ValueError: If the folder that it shall lie in does not exist, or a file stands at `path`,
            or a folder with other files.
    """
    target = _target(path)
    if target.exists() and not target.is_dir():
        raise ValueError(f"`path` must be a folder. Received: {str(target)!r}, a file")
    around = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    try:
        made = around / "new"
        made.mkdir()
        yield made
        for file in made.rglob("*"):
            if file.is_file():
                _open_to_others(file)  # so does safetensors
            _flush(file)
        others = sorted(_files(target) - _files(made) - {*replaced}) if target.exists() else []
        if others:
            raise ValueError(
                "`path` must be new, or a folder with nothing but what is replaced. "
                f"Received: {str(target)!r} with {', '.join(others[:3])}"
            )
        if target.exists():
            target.rename(around / "old")
        made.rename(target)
        _flush(target.parent)
    finally:
        shutil.rmtree(around, ignore_errors=True)


def _target(path: str | os.PathLike[str]) -> Path:
    target = Path(path)
    if not target.parent.is_dir():
        raise ValueError(f"`path` must lie in an existing folder. Received: {str(target)!r}")
    return target


def _files(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if not file.is_dir()}


def _open_to_others(file: Path) -> None:
    """Gives a file the mode that a new one has."""
    mask = os.umask(0)
    os.umask(mask)
    file.chmod(0o666 & ~mask)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
