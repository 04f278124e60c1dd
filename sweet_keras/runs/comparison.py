"""Means, spreads and differences of trials: the numbers behind tables, figures and headlines."""

import dataclasses
import re
import statistics
from collections.abc import Iterable
from typing import Protocol, TypeVar

from sweet_keras.runs.measurements import Trial
from sweet_keras.runs.method_names import BASELINES, order_of
from sweet_keras.runs.paired import Difference, Verdict, paired_difference


class Measured(Protocol):
    """What can be compared: a trial, or a row of a table."""

    method: str
    size: str
    seed: int
    accuracy: float


AnyMeasured = TypeVar("AnyMeasured", bound=Measured)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cell:
    """All trials of one method at one size.

    Attributes:
        size: Such as `"L6H6"`.
        method: Such as `"sweet_slice"`.
        accuracies: One for each seed, as fractions.
        against: The baseline's accuracy subtracted, paired by seed: of the better of the baselines
            at this size. None for that one itself, and where there is none.
        seconds: Mean seconds of fine-tuning.
        initialization_seconds: Mean seconds to make the network from the template.
        parameters: Numbers in the network.
    """

    size: str
    method: str
    accuracies: tuple[float, ...]
    against: Difference | None
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
    def difference(self) -> float | None:
        """Mean accuracy less that of the baseline, a fraction; None without one."""
        return None if self.against is None else self.against.mean

    @property
    def verdict(self) -> Verdict | None:
        """How it compares with the baseline; None where that cannot be said."""
        return None if self.against is None else self.against.verdict


def compare(trials: Iterable[Trial]) -> list[Cell]:
    """Groups trials by size and method, smallest size first, the baseline first in each.

    Args:
        trials: All trials of a run.

    Returns:
        One cell for each combination that was run.
    """
    trials = list(trials)
    groups = by_cell(trials)
    cells = []
    for size in sizes_of(trials):
        baseline = baseline_of(trials, size)
        for method in methods_of(trials):
            group = groups.get((size, method))
            if group is None:
                continue
            against = None
            if baseline not in (None, method):
                against = paired_difference(by_seed(group), by_seed(groups[size, baseline]))
            cells.append(
                Cell(
                    size=size,
                    method=method,
                    accuracies=tuple(trial.accuracy for trial in group),
                    against=against,
                    seconds=statistics.fmean(trial.seconds for trial in group),
                    initialization_seconds=statistics.fmean(
                        trial.initialization_seconds for trial in group
                    ),
                    parameters=group[0].parameters,
                )
            )
    return cells


def by_cell(measured: Iterable[AnyMeasured]) -> dict[tuple[str, str], list[AnyMeasured]]:
    """Groups what was measured by size and method."""
    groups: dict[tuple[str, str], list[AnyMeasured]] = {}
    for one in measured:
        groups.setdefault((one.size, one.method), []).append(one)
    return groups


def by_seed(measured: Iterable[Measured]) -> dict[int, float]:
    """Returns the accuracy of each seed."""
    return {one.seed: one.accuracy for one in measured}


def baseline_of(measured: Iterable[Measured], size: str) -> str | None:
    """Returns the untrained start that others are measured against at a size.

    Args:
        measured: Trials or rows, of any sizes.
        size: The size.

    Returns:
        Of truncated normal and Xavier (`BASELINES`) the one with the higher mean accuracy there,
        or None where neither was run.
    """
    groups = by_cell(one for one in measured if one.size == size and one.method in BASELINES)
    means = {
        method: statistics.fmean(one.accuracy for one in group)
        for (_, method), group in groups.items()
    }
    return max(means, key=means.__getitem__, default=None)


def sizes_of(trials: Iterable[Trial]) -> list[str]:
    """Returns the sizes of some trials, smallest first."""
    return sorted({trial.size for trial in trials}, key=size_order)


def size_order(size: str) -> tuple:
    """Sorts sizes as the numbers of their kernels' weights would."""
    numbers = [int(number) for number in re.findall(r"\d+", size)]
    depth, heads, *_ = [*numbers, 0, 0]
    return depth * heads**2, numbers, size


def methods_of(measured: Iterable[Measured]) -> list[str]:
    """Returns the methods of what was measured, in the order of tables."""
    return sorted({one.method for one in measured}, key=order_of)
