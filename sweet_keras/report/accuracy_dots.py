"""Figure: accuracy of many methods, a panel for each size."""

import statistics

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sweet_keras.report.drawing import new_figure
from sweet_keras.report.palette import INK, MUTED, style_of, text_of
from sweet_keras.runs.summary import Summary

_PER_ROW = 6


def accuracy_dots(summary: Summary) -> Figure:
    """Draws a line of its own for each method: mean, standard deviation, every seed.

    The best method on average stands on top; a vertical line in each panel is the better random
    start. Names stand beside the lines, so that there is no legend to go back to.

    Args:
        summary: Of one task.
    """
    panels: list[str | None] = list(summary.sizes)
    if len(summary.averaged) > 1:
        panels.append(None)  # the average
    columns = min(_PER_ROW, len(panels))
    lines = -(-len(panels) // columns)
    methods = sorted(summary.methods, key=lambda method: _rank(summary, method))
    height = (0.21 * len(methods) + 0.75) * lines + 0.1
    figure = new_figure(max(5.0, 2.0 + 1.45 * columns), height)
    grid = figure.subplots(lines, columns, sharey=True, squeeze=False)
    for axes in list(grid.flat)[len(panels) :]:
        axes.remove()
    for axes, size in zip(grid.flat, panels, strict=False):
        _panel(axes, summary, methods, size)
    for line in grid:
        line[0].set_yticks(range(len(methods)), [text_of(method) for method in methods])
        for label, method in zip(line[0].get_yticklabels(), methods, strict=True):
            if style_of(method, methods).bold:
                label.set_fontweight("bold")
        line[0].set_ylim(-0.7, len(methods) - 0.3)
    figure.supxlabel(f"{summary.metric} on the test images, %", fontsize=9.5, color=INK.light)
    return figure


def _panel(axes: Axes, summary: Summary, methods: list[str], size: str | None) -> None:
    axes.set_title("average" if size is None else size)
    for place, method in enumerate(methods):
        seeds = summary.averages(method) if size is None else summary.seeds(method, size)
        values = list(seeds.values())
        if not values:
            continue
        style = style_of(method, methods)
        colour = style.colour.light
        if len(values) > 1:
            axes.scatter(
                values, [place] * len(values), s=9, facecolors="none", edgecolors=colour, lw=0.7
            )
        axes.errorbar(
            statistics.fmean(values),
            place,
            xerr=statistics.stdev(values) if len(values) > 1 else None,
            color=colour,
            marker=style.marker,
            markersize=6.5 if style.bold else 4.5,
            elinewidth=1.3,
            capsize=2,
            linestyle="none",
        )
    baseline = None if size is None else summary.baseline(size)
    if baseline is not None:
        mean = summary.mean(baseline, size)
        axes.axvline(mean, color=MUTED.light, linewidth=0.9, linestyle=(0, (2, 2)), zorder=0)
    axes.grid(True, axis="both", linewidth=0.5)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.margins(x=0.12)


def _rank(summary: Summary, method: str) -> tuple:
    """Sorts by the average, or without one by the mean of what there is."""
    values = list(summary.averages(method).values()) or [
        summary.mean(method, size) for size in summary.sizes_of(method)
    ]
    return bool(summary.averages(method)), statistics.fmean(values), method
