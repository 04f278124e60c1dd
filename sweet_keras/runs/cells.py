"""One file for each fine-tuning of a comparison, with all that decided it."""

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from sweet_keras.core.atomic import atomic_write
from sweet_keras.runs.environment import now
from sweet_keras.runs.measurements import Trial
from sweet_keras.runs.results import finite, mapping_of


class Cells:
    """The fine-tunings that lie in a folder.

    A file holds `config`, all that decided the result; `start`, a digest of the weights it began
    with; `trial`, with the learning curve, the times and the accuracy; and, for the reader, the
    backend, the process and the time.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        """Names the folder."""
        self.folder = folder

    def read(self, config: Mapping[str, Any]) -> Trial | None:
        """Returns a fine-tuning, or None if it is not there.

        Args:
            config: All that decides it.

        Raises:
            ValueError: If the file was made with another configuration, or is not valid.
        """
        path = self._path(config)
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            made, trial = found["config"], found["trial"]
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"Expected a fine-tuning in JSON. Received: {path} ({error})") from (
                error
            )
        refuse_other(path, config, made)
        return Trial(**mapping_of(Trial, trial))

    def twin(self, config: Mapping[str, Any], start: str) -> Trial | None:
        """Returns the same fine-tuning under the name of another method, or None.

        Some methods give the same network: cut to its own size, a network stays as it is.

        Args:
            config: All that decides it.
            start: Digest of the weights it begins with, see `digest`.
        """
        asked = _training(json.loads(json.dumps(finite(config))))
        for path in self.folder.glob(self._path({**config, "method": "*"}).name):
            found = json.loads(path.read_text(encoding="utf-8"))
            if found.get("start") == start and _training(found["config"]) == asked:
                trial = Trial(**mapping_of(Trial, found["trial"]))
                return dataclasses.replace(trial, method=config["method"])
        return None

    def write(self, config: Mapping[str, Any], start: str, trial: Trial) -> None:
        """Keeps a fine-tuning; the file is whole or not there."""
        content = {
            "config": config,
            "start": start,
            "trial": dataclasses.asdict(trial),
            "backend": keras.backend.backend(),
            "process": os.getpid(),
            "finished": now(),
        }
        with atomic_write(self._path(config)) as temporary:
            temporary.write_text(json.dumps(finite(content), indent=1) + "\n", encoding="utf-8")

    def _path(self, config: Mapping[str, Any]) -> Path:
        names = [config[name] for name in ("size", "method")]
        names += [f"{config['learning_rate']:g}", str(config["seed"]), config["part"]]
        return self.folder / f"{'-'.join(names).replace(':', '+')}.json"


def digest(weights: Sequence[np.ndarray]) -> str:
    """Returns a number by which equal weights are known."""
    found = hashlib.sha256()
    for array in weights:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def _training(config: Mapping[str, Any]) -> dict[str, Any]:
    """What decides a fine-tuning besides the weights it begins with."""
    start = ("method", "pretraining", "adapt_epochs", "adapt_batch_size")
    return {name: value for name, value in config.items() if name not in start}


def refuse_other(path: Path, asked: Mapping[str, Any], made: Mapping[str, Any]) -> None:
    """Refuses a file that was made with another configuration than the one asked for.

    Args:
        path: The file, to be named.
        asked: The configuration asked for.
        made: The one the file holds.

    Raises:
        ValueError: Naming the first option that differs, the file, and both values.
    """
    asked, made = _flat(json.loads(json.dumps(finite(asked)))), _flat(made)
    for name in [*asked, *(set(made) - set(asked))]:
        expected, received = asked.get(name, "nothing"), made.get(name, "nothing")
        if expected != received:
            raise ValueError(
                f"{path} was made with another configuration: `{name}` must be {expected!r}. "
                f"Remove it, or choose another folder. Received: {received!r}"
            )


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat
