"""What a run found, as dataclasses: the content of `results.json`.

The report and every later comparison are made from this alone, so each number says what it is:
accuracies are fractions of the test images, times are seconds, curves are indexed by the number
of the training step.
"""

import dataclasses
import json
import math
import os
from pathlib import Path
from typing import Any, Self

from sweet_keras.core.atomic import atomic_write

SCHEMA = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """What was learned, and on what it was tested.

    Attributes:
        data: the data, as it was named on the command line.
        classes: names of the classes; empty without labels.
        train_images: images learned from without labels, or 0.
        train_labels: labels learned from, or 0.
        test_images: images the accuracies are measured on, or 0.
    """

    data: str
    classes: tuple[str, ...] = ()
    train_images: int = 0
    train_labels: int = 0
    test_images: int = 0

    def check(self) -> None:
        """Checks the counts."""
        for name in ("train_images", "train_labels", "test_images"):
            _require(getattr(self, name) >= 0, name, "at least 0", getattr(self, name))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pretraining:
    """How the template was made and what it is.

    Attributes:
        size: size it was trained at, such as `"L12H12"`.
        head_dim: channels of one head.
        ranks: r1, r2, r3 of the Tucker core.
        seconds: time the training took, compilation included.
        steps: training steps.
        batch_size: images in each step.
        loss: mean loss of the last epoch.
        template_parameters: numbers in the file.
        dense_parameters: numbers in the plain network of the same size.
    """

    size: str
    head_dim: int
    ranks: tuple[int, ...]
    seconds: float
    steps: int
    batch_size: int
    loss: float | None
    template_parameters: int
    dense_parameters: int

    def check(self) -> None:
        """Checks the numbers."""
        _require(self.seconds >= 0, "seconds", "at least 0", self.seconds)
        _require(self.steps >= 0, "steps", "at least 0", self.steps)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trial:
    """One network of one size, started in one way, fine-tuned with one seed.

    Attributes:
        method: how it was started: `"random"`, `"slice"`, `"adapt"`, or another name.
        size: its size, such as `"L6H6"`.
        seed: of the fine-tuning, and of a random start.
        accuracy: fraction of the test images that is right.
        steps: training steps.
        learning_rate: the highest one.
        seconds: time of the fine-tuning, compilation left out where it was done before.
        initialization_seconds: time it took to make the network from the template.
        parameters: numbers in the fine-tuned network.
        curve_steps: steps at which the curves below were measured.
        curve_loss: mean training loss since the last such step.
        curve_accuracy: fraction of the validation or test images that was right then.
        class_accuracy: accuracy of each class, in the order of `Task.classes`; None where the
            test images have none of that class.
    """

    method: str
    size: str
    seed: int
    accuracy: float
    steps: int
    learning_rate: float
    seconds: float
    initialization_seconds: float = 0.0
    parameters: int = 0
    curve_steps: tuple[int, ...] = ()
    curve_loss: tuple[float | None, ...] = ()
    curve_accuracy: tuple[float, ...] = ()
    class_accuracy: tuple[float | None, ...] = ()

    def check(self) -> None:
        """Checks that accuracies are fractions and that the curves fit together."""
        accuracies = (self.accuracy, *self.curve_accuracy, *self.class_accuracy)
        for value in accuracies:
            if value is not None:
                _require(0 <= value <= 1, "accuracy", "a fraction in [0, 1]", value)
        for name in ("curve_loss", "curve_accuracy"):
            length = len(getattr(self, name))
            expected = len(self.curve_steps)
            _require(length in (0, expected), name, f"{expected} long, or empty", length)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spectrum:
    """Singular values of the kernels of one kind in one network, averaged over the layers.

    Attributes:
        method: how the network was started.
        size: its size.
        kind: `q`, `k`, `v`, `o`, `in` or `out`.
        values: largest first; of long spectra an even selection with both ends.
    """

    method: str
    size: str
    kind: str
    values: tuple[float, ...]

    def check(self) -> None:
        """Checks that there are values, largest first."""
        _require(bool(self.values), "values", "not empty", self.values)
        ordered = all(a >= b >= 0 for a, b in zip(self.values, self.values[1:], strict=False))
        _require(ordered, "values", "falling and not negative", self.values)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Results:
    """All that one run found.

    Attributes:
        command: the command that was run, such as `"quickstart"`.
        finished: time in UTC, ISO 8601.
        task: what was learned.
        pretraining: how the template was made, or None where it was given.
        trials: all fine-tunings.
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
    spectra: tuple[Spectrum, ...] = ()
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    schema: int = SCHEMA

    def check(self) -> None:
        """Checks all parts.

        Raises:
            ValueError: naming the part and what was expected.
        """
        _require(self.schema == SCHEMA, "schema", f"{SCHEMA}", self.schema)
        for part in (self.task, self.pretraining, *self.trials, *self.spectra):
            if part is not None:
                part.check()

    @classmethod
    def from_mapping(cls, values: Any) -> Self:
        """Makes results of what a JSON file holds.

        Raises:
            ValueError: if a field is missing, unknown or out of range.
        """
        parts = {"task": Task, "pretraining": Pretraining, "trials": Trial, "spectra": Spectrum}
        values = dict(_mapping(cls, values))
        for name, kind in parts.items():
            value = values.get(name)
            if isinstance(value, list):
                values[name] = tuple(kind(**_mapping(kind, item)) for item in value)
            elif value is not None:
                values[name] = kind(**_mapping(kind, value))
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
        except (OSError, ValueError) as error:
            raise ValueError(f"Expected a results file in JSON. Received: {path} ({error})") from (
                error
            )
        try:
            return cls.from_mapping(values)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

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


def _mapping(kind: type, values: Any) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise ValueError(f"`{kind.__name__}` must be a mapping. Received: {values!r}")
    fields = {field.name: field for field in dataclasses.fields(kind)}
    unknown = sorted(set(values) - set(fields))
    _require(not unknown, kind.__name__, f"made of {', '.join(fields)}", ", ".join(unknown))
    needed = [name for name, f in fields.items() if f.default is dataclasses.MISSING]
    missing = [name for name in needed if name not in values]
    _require(not missing, kind.__name__, f"given {', '.join(missing)}", ", ".join(values))
    return {
        name: tuple(value) if isinstance(value, list) and name not in ("trials", "spectra") else
        value
        for name, value in values.items()
    }


def _require(valid: bool, name: str, expected: str, received: Any) -> None:
    if not valid:
        raise ValueError(f"`{name}` must be {expected}. Received: {received}")
