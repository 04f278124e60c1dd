"""The tables of a comparison, as cells that HTML, Markdown and a terminal can set."""

import statistics
from typing import NamedTuple

from sweet_keras.report.palette import text_of
from sweet_keras.report.signed import signed
from sweet_keras.runs.paired import Difference
from sweet_keras.runs.score import TITLES
from sweet_keras.runs.summary import OURS, Summary

Cell = str | tuple[str, str]  # text, or a class ("best", "better", "worse") and text


class Table(NamedTuple):
    """A table.

    Attributes:
        title: What it is.
        note: What has to be known to read it.
        header: Titles of the columns.
        rows: Cells.
        numbers: Columns that are set to the right.
        figure: Name of the figure that goes with it.
    """

    title: str
    note: str
    header: list[str]
    rows: list[list[Cell]]
    numbers: list[int]
    figure: str = ""


def comparison_tables(summary: Summary) -> list[Table]:
    """Returns accuracy, differences to SWEET adapt where it was run, and costs."""
    tables = [accuracy(summary), cost(summary)]
    if OURS in summary.methods and len(summary.methods) > 1:
        tables.insert(1, differences(summary))
    return tables


def accuracy(summary: Summary) -> Table:
    """Returns methods by sizes: mean ± standard deviation, the best set off."""
    counts = sorted({len(group) for group in summary.groups.values()})
    averaged = _averaged(summary)
    header = ["start", *summary.sizes, *(["average"] if averaged else [])]
    best = {size: summary.best(size) for size in summary.sizes}
    rows: list[list[Cell]] = []
    for method in summary.methods:
        row: list[Cell] = [text_of(method)]
        for size in summary.sizes:
            cell = _spread(summary.mean(method, size), summary.deviation(method, size))
            row.append(("best", cell) if best[size] == method else cell)
        if averaged:
            values = list(summary.averages(method).values())
            cell = _spread(
                statistics.fmean(values) if values else None,
                statistics.stdev(values) if len(values) > 1 else None,
            )
            row.append(("best", cell) if summary.best() == method else cell)
        rows.append(row)
    what = "Per cent of the test images"
    if summary.metric != "accuracy":
        what = f"{summary.metric} on the test images, per cent"
    note = (
        f"{what}, mean ± standard deviation over {_counts(counts)}. "
        "Bold: the best, direct pre-training aside."
    )
    if averaged and len(summary.averaged) < len(summary.sizes):
        note += f" The average is over {', '.join(summary.averaged)}, where all methods were run."
    numbers = list(range(1, len(header)))
    return Table(TITLES[summary.metric], note, header, rows, numbers, "accuracy")


def differences(summary: Summary, method: str = OURS) -> Table:
    """Returns how far a method is above each other: paired differences with their intervals."""
    averaged = _averaged(summary)
    header = [f"{text_of(method)} less", *summary.sizes, *(["average"] if averaged else [])]
    rows: list[list[Cell]] = []
    for other in summary.methods:
        if other != method:
            found = [summary.difference(method, other, size) for size in summary.sizes]
            if averaged:
                found.append(summary.averaged_difference(method, other))
            rows.append([text_of(other), *map(_interval, found)])
    note = (
        "Percentage points, mean [95 % confidence interval] of differences paired by seed, by "
        "Student's t. The average is taken over the sizes first, its interval over the seeds."
    )
    return Table("Differences", note, header, rows, list(range(1, len(header))))


def cost(summary: Summary) -> Table:
    """Returns what each method costs for all sizes it was run at."""
    header = ["start", "sizes", "pre-training, s", "adaptation, s", "stored parameters"]
    header += ["steps to random"]
    rows: list[list[Cell]] = []
    for method in summary.methods:
        sizes = summary.sizes_of(method)
        found = summary.cost(method)
        steps = "" if found.steps_to_random is None else f"{found.steps_to_random:,.0f}"
        rows.append(
            [
                text_of(method),
                f"{len(sizes)}",
                f"{found.pretrain_seconds:,.0f}",
                f"{found.adapt_seconds:,.1f}",
                f"{found.stored_parameters:,}",
                steps,
            ]
        )
    note = (
        "For all sizes together. Pre-training: of one source for all sizes, of direct pre-training "
        "the sum. Adaptation: making one network of each size. Steps to random: median over seeds "
        "and sizes of the fine-tuning steps to the final validation accuracy of the better random "
        "start; empty where half or more never get there."
    )
    return Table("Cost", note, header, rows, list(range(1, len(header))), "cost")


def _averaged(summary: Summary) -> bool:
    return len(summary.averaged) > 1


def _counts(counts: list[int]) -> str:
    if counts == [1]:
        return "1 seed"
    return f"{' or '.join(map(str, counts))} seeds"


def _spread(mean: float | None, deviation: float | None) -> str:
    if mean is None:
        return ""
    return f"{mean:.2f}" + ("" if deviation is None else f" ± {deviation:.2f}")


def _interval(difference: Difference | None) -> Cell:
    if difference is None:
        return ""
    text = signed(difference.mean, 2)
    if difference.margin is not None:
        text += f" [{signed(difference.low, 2)}, {signed(difference.high, 2)}]"
    verdict = difference.verdict
    return (verdict, text) if verdict in ("better", "worse") else text
