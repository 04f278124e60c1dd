"""What a run found: `results.json`, from which every report and comparison is made."""

import dataclasses
import json
import math
import os
from pathlib import Path
from typing import Any, Self

from sweet_keras.core.atomic import atomic_write
from sweet_keras.runs.measurements import (
    Generation,
    Pretraining,
    Spectrum,
    Task,
    Trial,
    require,
)

SCHEMA = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Results:
    """All that one run found.

    Attributes:
        command: the command that was run, such as `"quickstart"`.
        finished: time in UTC, ISO 8601.
        task: what was learned.
        pretraining: how the template was made, or None where it was given.
        trials: all fine-tunings.
        generation: the generator that was trained, or None.
        spectra: of the networks before fine-tuning.
        seconds: time of the whole run.
        notes: remarks for the reader, a sentence each.
        schema: version of this format.
    """

    command: str
    finished: str
    task: Task
    pretraining: Pretraining | None = None
    trials: tuple[Trial, ...] = ()
    generation: Generation | None = None
    spectra: tuple[Spectrum, ...] = ()
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    schema: int = SCHEMA

    def check(self) -> None:
        """Checks all parts.

        Raises:
            ValueError: naming the part and what was expected.
        """
        require(self.schema == SCHEMA, "schema", f"{SCHEMA}", self.schema)
        for part in (
            self.task,
            self.pretraining,
            self.generation,
            *self.trials,
            *self.spectra,
        ):
            if part is not None:
                part.check()

    @classmethod
    def from_mapping(cls, values: Any) -> Self:
        """Makes results of what a JSON file holds.

        Raises:
            ValueError: if a field is missing, unknown or out of range.
        """
        parts = {
            "task": Task,
            "pretraining": Pretraining,
            "trials": Trial,
            "generation": Generation,
            "spectra": Spectrum,
        }
        values = dict(mapping_of(cls, values))
        for name, kind in parts.items():
            value = values.get(name)
            if isinstance(value, list):
                values[name] = tuple(kind(**mapping_of(kind, item)) for item in value)
            elif value is not None:
                values[name] = kind(**mapping_of(kind, value))
        results = cls(**values)
        results.check()
        return results

    @classmethod
    def load(cls, path: str | os.PathLike) -> Self:
        """Reads `results.json`.

        Raises:
            ValueError: if there is no such file or its content is not valid.
        """
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise ValueError(f"Expected a results file in JSON. Received: {path} ({error})") from (
                error
            )
        try:
            return cls.from_mapping(values)
        # TypeError, AttributeError: of values of another type than is compared with.
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{path} must hold results. Received: {error}") from error

    def save(self, path: str | os.PathLike) -> None:
        """Writes `results.json`; the file is whole or not there.

        Raises:
            ValueError: if a value is out of range.
        """
        self.check()
        text = json.dumps(finite(dataclasses.asdict(self)), indent=1, allow_nan=False)
        with atomic_write(path) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")


def finite(value: Any) -> Any:
    """Replaces the floats that JSON does not know (nan, infinity) by None, at any depth."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def mapping_of(kind: type, values: Any) -> dict[str, Any]:
    """Checks what a JSON file holds for a dataclass; its lists become tuples.

    Raises:
        ValueError: if a field is missing or unknown.
    """
    if not isinstance(values, dict):
        raise ValueError(f"`{kind.__name__}` must be a mapping. Received: {values!r}")
    fields = {field.name: field for field in dataclasses.fields(kind)}
    unknown = sorted(set(values) - set(fields))
    require(not unknown, kind.__name__, f"made of {', '.join(fields)}", ", ".join(unknown))
    absent = dataclasses.MISSING
    needed = [n for n, f in fields.items() if f.default is absent and f.default_factory is absent]
    missing = [name for name in needed if name not in values]
    require(not missing, kind.__name__, f"given {', '.join(missing)}", ", ".join(values))
    return {
        name: tuple(value)
        if isinstance(value, list) and name not in ("trials", "spectra")
        else value
        for name, value in values.items()
    }
