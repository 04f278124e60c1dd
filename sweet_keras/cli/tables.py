"""Tables for the terminal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from sweet_keras.runs.comparison import compare
from sweet_keras.runs.results import Results
from sweet_keras.runs.score import COUNTED

if TYPE_CHECKING:
    from sweet_keras.runs.score import Score
    from sweet_keras.runs.spectrum import KernelHealth
    from sweet_keras.runs.summary import Summary

_STYLES = {"better": "green", "worse": "red"}
_SHARES = (0.5, 0.8, 0.9, 0.95, 0.99)
_SHORT = {"no clear difference": "unclear"}


def comparison_table(results: Results) -> Table:
    """Returns a row for each size and method."""
    from sweet_keras.report.signed import signed

    table = Table(title=f"Accuracy on {results.task.test_images:,} test images", title_style="bold")
    table.add_column("size")
    table.add_column("start")
    table.add_column("mean ± sd, %", justify="right")
    table.add_column("above random", justify="right")
    table.add_column("verdict")
    table.add_column("fine-tuning", justify="right")
    size = None
    for cell in compare(results.trials):
        if size not in (None, cell.size):
            table.add_section()
        deviation = "" if cell.deviation is None else f" ± {100 * cell.deviation:.1f}"
        difference = "" if cell.difference is None else signed(100 * cell.difference)
        verdict = cell.verdict or ""
        table.add_row(
            cell.size if cell.size != size else "",
            cell.method,
            f"{100 * cell.mean:.1f}{deviation}",
            difference,
            Text(_SHORT.get(verdict, verdict), style=_STYLES.get(verdict, "")),
            f"{cell.seconds:.1f} s",
        )
        size = cell.size
    return table


def methods_table(summary: "Summary") -> Table:
    """Returns a row for each method of a comparison, a column for each size."""
    from sweet_keras.report.comparison_tables import accuracy

    made = accuracy(summary)
    table = Table(title=f"{made.title}, %", title_style="bold", caption=made.note)
    for column, title in enumerate(made.header):
        table.add_column(title, justify="right" if column in made.numbers else "left")
    for row in made.rows:
        cells = [cell if isinstance(cell, tuple) else ("", cell) for cell in row]
        table.add_row(*(Text(text, style="bold" if kind else "") for kind, text in cells))
    return table


def class_table(score: "Score", classes: Sequence[str], metric: str) -> Table:
    """Returns a row for each class, and one for all."""
    counted = COUNTED[metric]
    more = ", ".join(f"{name} {_per_cent(value)}" for name, value in score.more.items())
    table = Table("class", show_footer=True, caption=more or None)
    table.columns[0].footer = "all"
    table.add_column(counted, footer=f"{sum(score.counts):,}", justify="right")
    # Of a single class there is no mean.
    table.add_column(metric.removeprefix("m"), footer=_per_cent(score.overall), justify="right")
    for name, share, count in zip(classes, score.by_class, score.counts, strict=True):
        table.add_row(Text(name), f"{count:,}", _per_cent(share))
    return table


def _per_cent(share: float | None) -> str:
    return "-" if share is None else f"{share:.2%}"


def facts_table(title: str, facts: Mapping[str, Any]) -> Table:
    """Returns a row for each fact."""
    table = Table(title=Text(title), title_justify="left", title_style="bold", show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(Text(name), Text(str(value)))
    return table


def health_table(health: Sequence["KernelHealth"]) -> Table:
    """Returns a row for each kind of kernel; sick ones in red."""
    table = Table(title="Singular values of the kernels", title_justify="left", title_style="bold")
    table.add_column("kernel")
    table.add_column("largest", justify="right")
    table.add_column("median", justify="right")
    for kind in health:
        table.add_row(
            kind.kind,
            f"{kind.largest:.3g}",
            f"{kind.median:.3g}",
            style="bold red" if kind.sick else None,
        )
    return table


def errors_table(decomposition: Mapping[str, Any]) -> Table:
    """Returns what a template misses of a network's kernels, a row for each layer."""
    errors = decomposition["errors"]
    table = Table(
        title="Made from a network: relative error of the kernels",
        title_justify="left",
        title_style="bold",
        caption=f"of all together {decomposition['error']:.3g}; order of the channels: "
        f"{decomposition.get('order')}",
    )
    table.add_column("layer", justify="right")
    for kind in errors:
        table.add_column(kind, justify="right")
    for layer, row in enumerate(zip(*errors.values(), strict=True)):
        table.add_row(str(layer), *(f"{value:.3g}" for value in row))
    return table


def ranks_table(decomposition: Mapping[str, Any]) -> Table:
    """Returns the rank that each axis needs for some shares of the energy of the kernels."""
    table = Table(
        title="Ranks that keep a share of the energy", title_justify="left", title_style="bold"
    )
    table.add_column("axis")
    for share in _SHARES:
        table.add_column(f"{share:.0%}", justify="right")
    table.add_column("of", justify="right")
    for axis, spectrum in decomposition["spectrum"].items():
        pairs = list(zip(spectrum["ranks"], spectrum["kept"], strict=True))
        ranks = [
            next((rank for rank, kept in pairs if kept >= share), pairs[-1][0]) for share in _SHARES
        ]
        table.add_row(axis, *map(str, ranks), str(pairs[-1][0]))
    return table
