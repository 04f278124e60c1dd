"""Means, spreads and differences of trials: the numbers behind tables, figures and headlines."""

import dataclasses
import math
import re
import statistics
from collections.abc import Iterable, Sequence
from typing import Literal

from sweet_keras.runs.measurements import Trial

BASELINE = "random"
_ORDER = ("random", "slice", "adapt")

Verdict = Literal["better", "worse", "no clear difference"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cell:
    """All trials of one method at one size.

    Attributes:
        size: Such as `"L6H6"`.
        method: Such as `"slice"`.
        accuracies: One for each seed, as fractions.
        difference: Mean accuracy less that of the baseline at this size; None for the baseline
            itself and where it was not run.
        error: Standard error of the difference; None with fewer than two seeds on a side.
        seconds: Mean seconds of fine-tuning.
        initialization_seconds: Mean seconds to make the network from the template.
        parameters: Numbers in the network.
    """

    size: str
    method: str
    accuracies: tuple[float, ...]
    difference: float | None
    error: float | None
    seconds: float
    initialization_seconds: float
    parameters: int

    @property
    def mean(self) -> float:
        """Mean accuracy, a fraction."""
        return statistics.fmean(self.accuracies)

    @property
    def deviation(self) -> float | None:
        """Standard deviation over the seeds (n - 1); None for one seed."""
        return statistics.stdev(self.accuracies) if len(self.accuracies) > 1 else None

    @property
    def verdict(self) -> Verdict | None:
        """How it compares with the baseline; None where that cannot be said.

        A difference counts if a two-sided t-test would give it by chance in fewer than 5 % of
        cases.
        """
        if self.difference is None or self.error is None:
            return None
        limit = critical_t(2 * len(self.accuracies) - 2) * self.error
        if abs(self.difference) <= limit:
            return "no clear difference"
        return "better" if self.difference > 0 else "worse"


def critical_t(degrees: int) -> float:
    """Returns the two-sided 5 % limit of Student's t, at most 1 % too large.

    Args:
        degrees: Degrees of freedom, positive.
    """
    table = (12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
    # Beyond the table the first terms of its expansion in 1/degrees do.
    return table[degrees - 1] if degrees <= len(table) else 1.96 + 2.45 / degrees + 3 / degrees**2


def compare(trials: Iterable[Trial]) -> list[Cell]:
    """Groups trials by size and method, smallest size first, the baseline first in each.

    Args:
        trials: All trials of a run.

    Returns:
        One cell for each combination that was run.
    """
    groups: dict[tuple[str, str], list[Trial]] = {}
    for trial in trials:
        groups.setdefault((trial.size, trial.method), []).append(trial)
    cells = []
    for size in sizes_of(trial for group in groups.values() for trial in group):
        baseline = [trial.accuracy for trial in groups.get((size, BASELINE), [])]
        for method in methods_of(trial for group in groups.values() for trial in group):
            group = groups.get((size, method))
            if group is None:
                continue
            accuracies = tuple(trial.accuracy for trial in group)
            against = baseline if method != BASELINE else []
            cells.append(
                Cell(
                    size=size,
                    method=method,
                    accuracies=accuracies,
                    difference=_difference(accuracies, against),
                    error=_standard_error(accuracies, against),
                    seconds=statistics.fmean(trial.seconds for trial in group),
                    initialization_seconds=statistics.fmean(
                        trial.initialization_seconds for trial in group
                    ),
                    parameters=group[0].parameters,
                )
            )
    return cells


def sizes_of(trials: Iterable[Trial]) -> list[str]:
    """Returns the sizes of some trials, smallest first."""
    parameters = {trial.size: trial.parameters for trial in trials}

    def key(size: str) -> tuple:
        return parameters[size], [int(number) for number in re.findall(r"\d+", size)], size

    return sorted(parameters, key=key)


def methods_of(trials: Iterable[Trial]) -> list[str]:
    """Returns the methods of some trials: random, slice, adapt, then others by name."""
    names = {trial.method for trial in trials}
    return [name for name in _ORDER if name in names] + sorted(names - set(_ORDER))


def _difference(values: Sequence[float], baseline: Sequence[float]) -> float | None:
    if not baseline:
        return None
    return statistics.fmean(values) - statistics.fmean(baseline)


def _standard_error(values: Sequence[float], baseline: Sequence[float]) -> float | None:
    if min(len(values), len(baseline)) < 2:
        return None
    variance = statistics.variance(values) / len(values)
    return math.sqrt(variance + statistics.variance(baseline) / len(baseline))
