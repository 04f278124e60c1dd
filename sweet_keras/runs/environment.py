"""What a run was made with: command, versions, machine."""

import importlib.metadata
import json
import os
import platform
import shlex
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sweet_keras.core.atomic import atomic_write

_PACKAGES = (
    "sweet-keras",
    "keras",
    "numpy",
    "jax",
    "torch",
    "tensorflow",
    "grain",
    "safetensors",
    "pillow",
    "matplotlib",
)


def now() -> str:
    """Returns the time in UTC to the second, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def installed_versions(packages: Iterable[str]) -> dict[str, str]:
    """Returns the version of each package that is installed."""
    versions = {}
    for package in packages:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def describe_environment(command: str, arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Returns the command and all that may explain a difference between two runs.

    Args:
        command: name of the command, such as `"pretrain"`.
        arguments: the command line after `sweet`; None where the run was started from Python.

    Returns:
        A mapping that JSON can hold.
    """
    return {
        "command": command,
        "command_line": None if arguments is None else "sweet " + shlex.join(arguments),
        "started": now(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu_count": os.cpu_count(),
        "backend": _loaded_backend(),
        "versions": installed_versions(_PACKAGES),
    }


def write_environment(path: Path, command: str, arguments: Sequence[str] | None = None) -> None:
    """Writes `describe_environment` to a JSON file; a resumed run adds itself to the list.

    Args:
        path: the file.
        command: name of the command.
        arguments: the command line after `sweet`, if any.
    """
    environment = describe_environment(command, arguments)
    if path.exists():
        first = json.loads(path.read_text(encoding="utf-8"))
        resumed = [*first.pop("resumed", []), environment]
        environment = {**first, "resumed": resumed}
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(environment, indent=2) + "\n", encoding="utf-8")


def _loaded_backend() -> str | None:
    keras = sys.modules.get("keras")
    return keras.backend.backend() if keras else None
