"""`results.csv`: one row for each fine-tuning that was tested."""

import csv
import dataclasses
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from sweet_keras.core.atomic import atomic_write
from sweet_keras.runs.comparison import baseline_of, by_cell
from sweet_keras.runs.measurements import Trial


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One fine-tuning; the fields are the columns of the file, in order.

    Attributes:
        dataset: Name of the images.
        labels: Labels that were learned from.
        method: How the network was started.
        size: Its size, such as `"L6H6"`.
        seed: Of the fine-tuning.
        learning_rate: The highest one.
        accuracy: Per cent of the test images that is right.
        steps_to_random: Steps until the validation accuracy is what the better random start (see
            `baseline_of`) has at its end, mean over seeds; None if it never is.
        pretrain_seconds: Time of the pre-training of what the network was made from.
        adapt_seconds: Time to make the network from that.
        finetune_seconds: Time of the fine-tuning.
        stored_parameters: Numbers stored of what it was made from.
    """

    dataset: str
    labels: int
    method: str
    size: str
    seed: int
    learning_rate: float
    accuracy: float
    steps_to_random: int | None
    pretrain_seconds: float
    adapt_seconds: float
    finetune_seconds: float
    stored_parameters: int


COLUMNS = tuple(field.name for field in dataclasses.fields(Row))
_DECIMALS = {
    "learning_rate": "g",
    "accuracy": ".2f",
    "pretrain_seconds": ".1f",
    "adapt_seconds": ".2f",
    "finetune_seconds": ".1f",
}


def steps_to(target: float, trial: Trial) -> int | None:
    """The first measured step at which a trial is as accurate as `target`, on validation images."""
    for step, accuracy in zip(trial.curve_steps, trial.curve_accuracy, strict=True):
        if accuracy >= target:
            return step
    return None


def steps_to_baseline(trials: Sequence[Trial]) -> list[int | None]:
    """Returns for each trial the steps to the better random start's final accuracy at its size.

    Which random start is better is said by the mean accuracy on the test images; both accuracies
    compared are those on validation images, which the curves are measured on.
    """
    groups = by_cell(trials)
    targets = {}
    for size in {trial.size for trial in trials}:
        baseline = baseline_of(trials, size)
        ends = [t.curve_accuracy[-1] for t in groups.get((size, baseline), ()) if t.curve_accuracy]
        targets[size] = sum(ends) / len(ends) if ends else None
    return [
        None if targets[trial.size] is None else steps_to(targets[trial.size], trial)
        for trial in trials
    ]


def write_table(path: str | os.PathLike, rows: Iterable[Row]) -> None:
    """Writes rows as CSV; the file is whole or not there."""
    with (
        atomic_write(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            values = dataclasses.asdict(row)
            writer.writerow(
                "" if value is None else format(value, _DECIMALS.get(name, ""))
                for name, value in values.items()
            )


def read_table(path: str | os.PathLike) -> tuple[Row, ...]:
    """Reads what `write_table` wrote.

    Raises:
        ValueError: If the file is missing, or its columns or values are others.
    """
    kinds = {"labels": int, "seed": int, "stored_parameters": int, "steps_to_random": _optional}
    kinds |= dict.fromkeys(("dataset", "method", "size"), str)
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise ValueError(f"columns {reader.fieldnames}")
            return tuple(
                Row(**{name: kinds.get(name, float)(row[name]) for name in COLUMNS})
                for row in reader
            )
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(
            f"Expected a CSV file with the columns {','.join(COLUMNS)}. Received: {path} ({error})"
        ) from error


def _optional(text: str) -> int | None:
    return int(text) if text else None
