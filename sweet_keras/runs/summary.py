"""What the rows of one task say about its methods."""

import dataclasses
import math
import statistics
from collections.abc import Iterable

from sweet_keras.runs.comparison import baseline_of, by_cell, by_seed, methods_of, size_order
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.method_names import split_name
from sweet_keras.runs.paired import Difference, averaged_difference, paired_difference
from sweet_keras.runs.results import Results
from sweet_keras.runs.results_table import Row, read_table

OURS = "sweet_adapt"
REFERENCE = "direct"  # pre-trains every size: not to be beaten, but what is paid for


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cost:
    """What a method costs for all sizes it was measured at.

    Attributes:
        pretrain_seconds: Pre-training: of one source, or for `direct` of all sizes.
        adapt_seconds: Making the networks of that, one of each size.
        stored_parameters: Numbers to store, as far as they are those of the sources.
        steps_to_random: Median over seeds and sizes of the steps to the random start's accuracy;
            None if half of the fine-tunings or more never got there, or nothing is known.
    """

    pretrain_seconds: float
    adapt_seconds: float
    stored_parameters: int
    steps_to_random: float | None


class Summary:
    """Means, spreads, differences and costs of all methods in one task.

    Args:
        rows: Of one data set and one number of labels.
        metric: What their `accuracy` is, see `sweet_keras.runs.score`.

    Attributes:
        rows: The rows.
        sizes: Smallest first.
        methods: In the order of tables.
        averaged: The sizes that averages are taken over: those at which all methods were run,
            variants not counted.

    Raises:
        ValueError: If there are no rows, or rows of several tasks.
    """

    def __init__(self, rows: Iterable[Row], metric: str = "accuracy") -> None:
        """Groups the rows."""
        self.rows, self.metric = tuple(rows), metric
        tasks = sorted({(row.dataset, row.labels) for row in self.rows})
        if len(tasks) != 1:
            raise ValueError(f"`rows` must be those of one task. Received: {tasks}")
        ((self.dataset, self.labels),) = tasks
        self.groups = by_cell(self.rows)
        self.sizes = sorted({row.size for row in self.rows}, key=size_order)
        self.methods = methods_of(self.rows)
        whole = [method for method in self.methods if split_name(method)[1] is None]
        whole = whole or self.methods
        self.averaged = [
            size for size in self.sizes if all((size, method) in self.groups for method in whole)
        ]

    def seeds(self, method: str, size: str) -> dict[int, float]:
        """Accuracy of each seed, in per cent; empty if it was not run."""
        return by_seed(self.groups.get((size, method), ()))

    def mean(self, method: str, size: str) -> float | None:
        """Mean accuracy over the seeds, in per cent."""
        values = self.seeds(method, size).values()
        return statistics.fmean(values) if values else None

    def deviation(self, method: str, size: str) -> float | None:
        """Standard deviation over the seeds (n - 1)."""
        values = self.seeds(method, size).values()
        return statistics.stdev(values) if len(values) > 1 else None

    def averages(self, method: str) -> dict[int, float]:
        """For each seed the average over `averaged`; empty if a size is missing."""
        sizes = [self.seeds(method, size) for size in self.averaged]
        if not sizes or not all(sizes):
            return {}
        shared = set.intersection(*map(set, sizes))
        return {seed: statistics.fmean(size[seed] for size in sizes) for seed in sorted(shared)}

    def best(self, size: str | None = None, variants: bool = True) -> str | None:
        """The method with the highest mean at a size, or on average; `direct` is left out.

        Args:
            size: The size; by default the average.
            variants: Whether variants take part.
        """
        candidates = (m for m in self.methods if variants or split_name(m)[1] is None)
        return self._highest(candidates, size)

    def baseline(self, size: str) -> str | None:
        """The better of the random starts at a size."""
        return baseline_of(self.rows, size)

    def difference(self, method: str, other: str, size: str) -> Difference | None:
        """Percentage points by which a method is above another at a size."""
        return paired_difference(self.seeds(method, size), self.seeds(other, size))

    def averaged_difference(self, method: str, other: str) -> Difference | None:
        """Percentage points by which a method is above another on average over sizes."""
        if not self.averages(method) or not self.averages(other):
            return None
        return averaged_difference(
            [self.seeds(method, size) for size in self.averaged],
            [self.seeds(other, size) for size in self.averaged],
        )

    def best_other(self) -> str | None:
        """The best method on average that is neither ours, nor a variant, nor `direct`."""
        return self._highest(m for m in self.methods if not m.startswith("sweet_"))

    def _highest(self, methods: Iterable[str], size: str | None = None) -> str | None:
        """The one with the highest mean, `direct` aside; None if none was run."""
        means = {}
        for method in methods:
            values = self.averages(method) if size is None else self.seeds(method, size)
            if values and method != REFERENCE:
                means[method] = statistics.fmean(values.values())
        return max(means, key=means.__getitem__, default=None)

    def sizes_of(self, method: str) -> list[str]:
        """The sizes at which a method was run."""
        return [size for size in self.sizes if (size, method) in self.groups]

    def cost(self, method: str, sizes: Iterable[str] | None = None) -> Cost:
        """What a method costs for some sizes.

        Args:
            method: The method.
            sizes: Of those at which it was run; by default all of these.
        """
        groups = [self.groups[size, method] for size in sizes or self.sizes_of(method)]
        rows = [row for group in groups for row in group]
        # The shortest: all seeds take the same work, and longer with other work on the machine.
        seconds = [min(row.pretrain_seconds for row in group) for group in groups]
        stored = [group[0].stored_parameters for group in groups]
        together = sum if method == REFERENCE else max
        steps = statistics.median(
            math.inf if row.steps_to_random is None else row.steps_to_random for row in rows
        )
        return Cost(
            pretrain_seconds=together(seconds),
            adapt_seconds=sum(min(row.adapt_seconds for row in group) for group in groups),
            stored_parameters=together(stored),
            steps_to_random=steps if math.isfinite(steps) else None,
        )


def tasks_of(rows: Iterable[Row], metric: str = "accuracy") -> list[Summary]:
    """Returns a summary for each data set and number of labels, in this order."""
    groups: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.dataset, row.labels), []).append(row)
    return [Summary(groups[key], metric) for key in sorted(groups)]


def summary_of(run: RunDirectory, results: Results | None) -> Summary | None:
    """Returns what a comparison's table says; None for other runs, and unfinished ones."""
    if results is None or results.command != "compare" or not run.table.exists():
        return None
    return Summary(read_table(run.table), results.task.metric)
