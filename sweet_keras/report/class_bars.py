"""Figure: how well each class is told."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from sweet_keras.report.drawing import new_figure
from sweet_keras.report.palette import ADAPT

_MOST = 40  # bars that can be read


def class_bars(values: Sequence[float | None], classes: Sequence[str], metric: str) -> Figure:
    """Draws a bar for each class, the best on top; of many classes the best and the worst.

    Args:
        values: In [0, 1]; None where there is nothing of a class.
        classes: Names of the classes.
        metric: What the values are.
    """
    known = [
        (value, name) for value, name in zip(values, classes, strict=False) if value is not None
    ]
    known.sort()
    if len(known) > _MOST:
        known = known[: _MOST // 2] + known[-_MOST // 2 :]
    figure = new_figure(8.0, 0.21 * len(known) + 0.8)
    axes = figure.subplots()
    heights = [value for value, _ in known]
    bars = axes.barh(range(len(known)), heights, color=ADAPT.light, height=0.7)
    axes.bar_label(bars, [f"{value:.1%}" for value in heights], padding=3, fontsize=8)
    axes.set_yticks(range(len(known)), [name for _, name in known])
    axes.set_xlim(0, 1.08)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlabel(metric)
    axes.grid(True, axis="x")
    axes.grid(False, axis="y")
    return figure
