"""Figure: average accuracy by the pre-training it takes for all sizes."""

import statistics

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator
from matplotlib.transforms import ScaledTranslation, Transform

from sweet_keras.report.drawing import new_figure
from sweet_keras.report.palette import GRID, style_of, text_of
from sweet_keras.runs.summary import Summary

_LINE = 0.062  # height of a label as a fraction of the axes
_LABEL = 0.32  # width of a label as a fraction of the axes
_MINUTE, _HOUR = 60, 3600
_TICKS = [
    *(1, 2, 5, 10, 20, 30),
    *(_MINUTE * count for count in (1, 2, 5, 10, 20, 30)),
    *(_HOUR * count for count in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
]


def accuracy_by_cost(summary: Summary) -> Figure:
    """Draws a mark for each method that has an average, its name beside it.

    Methods without pre-training stand in a panel of their own, since their zero has no place on a
    logarithmic axis.

    Args:
        summary: Of one task, in which averages are taken over more than one size.
    """
    methods = [method for method in summary.methods if summary.averages(method)]
    seconds = {
        method: summary.cost(method, summary.averaged).pretrain_seconds for method in methods
    }
    free = [method for method in methods if seconds[method] == 0]
    paid = [method for method in methods if seconds[method] > 0]
    figure = new_figure(8.0, 4.6)
    widths = [1, 3.4] if free and paid else [1]
    panels = list(
        figure.subplots(1, len(widths), sharey=True, width_ratios=widths, squeeze=False)[0]
    )
    means = {method: statistics.fmean(summary.averages(method).values()) for method in methods}
    low, high = min(means.values()), max(means.values())
    room = max(high - low, 0.5) * 0.12
    panels[0].set_ylim(low - room, high + room)
    for axes, group in zip(panels, filter(None, (free, paid)), strict=True):
        places = {method: seconds[method] if group is paid else 1.0 for method in group}
        _scale(axes, places, logarithmic=group is paid)
        for method in group:
            style = style_of(method, methods)
            axes.plot(
                places[method],
                means[method],
                marker=style.marker,
                color=style.colour.light,
                markersize=9 if style.bold else 6.5,
                linestyle="none",
                zorder=3,
            )
        _labels(axes, places, means, summary.methods)
    panels[0].set_ylabel(f"{summary.metric}, average over {len(summary.averaged)} sizes, %")
    panels[-1].set_xlabel(
        f"pre-training for all {len(summary.averaged)} sizes (logarithmic)" if paid else ""
    )
    return figure


def _scale(axes: Axes, places: dict[str, float], logarithmic: bool) -> None:
    if not logarithmic:
        axes.set_xlim(0.8, 2.6)
        axes.set_xticks([1.0], ["no pre-training"])
        axes.get_xticklabels()[0].set_horizontalalignment("left")
        return
    smallest, largest = min(places.values()), max(places.values())
    span = max(largest / smallest, 3.0)
    axes.set_xscale("log")
    axes.set_xlim(smallest / span**0.12, smallest * span**1.55)
    low, high = axes.get_xlim()
    ticks = [time for time in _TICKS if low <= time <= high]
    axes.set_xticks(ticks)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _duration(value)))
    axes.grid(True, axis="x", linewidth=0.5)


def _labels(axes: Axes, places: dict, means: dict, methods: list[str]) -> None:
    """Writes names to the right of marks, moved apart where they would lie on each other."""
    low, high = axes.get_ylim()
    line = (high - low) * _LINE
    columns: list[list[str]] = []
    across = axes.transScale.transform([(place, high) for place in axes.get_xlim()])[:, 0]
    for method in sorted(places, key=lambda method: places[method]):
        if columns:
            pair = [(places[name], high) for name in (columns[-1][-1], method)]
            apart = axes.transScale.transform(pair)[:, 0]
            if apart[1] - apart[0] < _LABEL * (across[1] - across[0]):
                columns[-1].append(method)
                continue
        columns.append([method])
    for column in columns:
        column.sort(key=lambda method: means[method])
        heights = spread(
            [means[method] for method in column], line, low + line / 2, high - line / 2
        )
        right = max(places[method] for method in column)
        for method, height in zip(column, heights, strict=True):
            style = style_of(method, methods)
            axes.annotate(
                text_of(method),
                (places[method], means[method]),
                xytext=(right, height),
                textcoords=_beside(axes),
                va="center",
                color=style.colour.light,
                fontweight="bold" if style.bold else "normal",
                arrowprops={"arrowstyle": "-", "color": GRID.light, "lw": 0.8, "shrinkB": 5},
            )


def _beside(axes: Axes) -> Transform:
    """Coordinates of the data, some points to the right."""
    return axes.transData + ScaledTranslation(22 / 72, 0, axes.figure.dpi_scale_trans)


def spread(heights: list[float], gap: float, low: float, high: float) -> list[float]:
    """Moves rising heights apart to at least `gap`, as little as possible.

    Args:
        heights: In rising order.
        gap: Least distance.
        low: Lowest place.
        high: Highest place.

    Returns:
        New heights, in rising order; closer than `gap` only if there is no room.
    """
    if len(heights) * gap > high - low:
        gap = (high - low) / max(len(heights) - 1, 1)
    # Runs of labels that touch are centred on the mean of where they belong.
    runs: list[tuple[float, int]] = []  # mean place, number of labels
    for height in heights:
        place, count = height, 1
        while runs and runs[-1][0] + gap * (runs[-1][1] + count) / 2 > place:
            other, number = runs.pop()
            place = (place * count + other * number) / (count + number)
            count += number
            half = gap * (count - 1) / 2
            place = min(max(place, low + half), high - half)
        runs.append((place, count))
    return [place + gap * (i - (count - 1) / 2) for place, count in runs for i in range(count)]


def _duration(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:g} s"
    return f"{seconds / _MINUTE:g} min" if seconds < _HOUR else f"{seconds / _HOUR:g} h"
