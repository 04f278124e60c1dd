"""Figure: accuracy during fine-tuning, by size and method."""

import statistics

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from sweet_keras.report.drawing import legend_above, new_panels
from sweet_keras.report.palette import colour_of, marker_of, text_of
from sweet_keras.runs.comparison import methods_of, sizes_of
from sweet_keras.runs.measurements import Trial

_BANDS = 4  # bands of more methods than this hide each other


def learning_curves(trials: tuple[Trial, ...]) -> Figure:
    """Draws the mean over seeds, and of a few methods the range over seeds as a band.

    Args:
        trials: Trials with a curve of accuracies.
    """
    trials = tuple(trial for trial in trials if trial.curve_accuracy)
    sizes, methods = sizes_of(trials), methods_of(trials)
    figure, panels = new_panels(len(sizes), columns=3)
    handles = {}
    for axes, size in zip(panels, sizes, strict=True):
        axes.set_title(size)
        for method in methods:
            group = [t for t in trials if t.size == size and t.method == method]
            if not group:
                continue
            steps = group[0].curve_steps
            columns = list(
                zip(*(t.curve_accuracy for t in group if t.curve_steps == steps), strict=True)
            )
            colour = colour_of(method, methods)
            (handles[method],) = axes.plot(
                steps,
                [statistics.fmean(column) for column in columns],
                color=colour,
                marker=marker_of(method, methods) if len(steps) <= 20 else None,
                markersize=4.5,
            )
            if len(group) > 1 and len(methods) <= _BANDS:
                axes.fill_between(
                    steps,
                    [min(column) for column in columns],
                    [max(column) for column in columns],
                    color=colour,
                    alpha=0.16,
                    linewidth=0,
                )
        axes.set_xlabel("fine-tuning step")
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    panels[0].set_ylabel("accuracy")
    if len(handles) > 1:
        legend_above(figure, list(handles.values()), [text_of(method) for method in handles])
    return figure
