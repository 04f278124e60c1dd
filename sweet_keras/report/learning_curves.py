"""Figure: accuracy during fine-tuning, by size and method."""

import statistics
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from sweet_keras.report.drawing import legend_above, new_panels
from sweet_keras.report.palette import style_of, text_of
from sweet_keras.runs.comparison import methods_of, sizes_of
from sweet_keras.runs.measurements import Trial

_FEW = 4  # of more methods than this, bands and markers hide each other


def learning_curves(trials: tuple[Trial, ...]) -> Figure:
    """Draws the mean over seeds, and of a few methods the range over seeds as a band.

    With many methods each panel shows the upper part only, where they part.

    Args:
        trials: Trials with a curve of accuracies.
    """
    trials = tuple(trial for trial in trials if trial.curve_accuracy)
    sizes, methods = sizes_of(trials), methods_of(trials)
    few = len(methods) <= _FEW
    figure, panels = new_panels(len(sizes), columns=3, height=2.7 if few else 3.3, sharey=few)
    handles = {}
    for axes, size in zip(panels, sizes, strict=True):
        axes.set_title(size)
        ends = []
        for method in methods:
            group = [t for t in trials if t.size == size and t.method == method]
            if not group:
                continue
            steps = group[0].curve_steps
            columns = list(
                zip(*(t.curve_accuracy for t in group if t.curve_steps == steps), strict=True)
            )
            means = [statistics.fmean(column) for column in columns]
            ends.append(means[-1])
            style = style_of(method, methods)
            (handles[method],) = axes.plot(
                steps,
                means,
                color=style.colour.light,
                marker=style.marker if few and len(steps) <= 20 else None,
                markersize=4.5,
                linestyle="-" if few else style.dashes,
                linewidth=1.8 if few else 2.2 if style.bold else 1.2,
                zorder=3 if style.bold else 2,
            )
            if len(group) > 1 and few:
                axes.fill_between(
                    steps,
                    [min(column) for column in columns],
                    [max(column) for column in columns],
                    color=style.colour.light,
                    alpha=0.16,
                    linewidth=0,
                )
        axes.set_xlabel("fine-tuning step")
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
        if not few:
            _zoom(axes, ends)
    panels[0].set_ylabel("accuracy")
    if len(handles) > 1:
        shown = [method for method in methods if method in handles]
        legend_above(figure, [handles[method] for method in shown], [text_of(m) for m in shown])
    return figure


def _zoom(axes: Axes, ends: Sequence[float]) -> None:
    """Gives the differences at the end about two fifths of the height."""
    low, high = axes.get_ylim()
    span = max(max(ends) - min(ends), 0.01)
    axes.set_ylim(max(low, min(ends) - 1.4 * span), min(high, max(ends) + 0.15 * span))
