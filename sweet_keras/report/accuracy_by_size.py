"""Figure: accuracy by size and method, with every seed."""

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from sweet_keras.report.drawing import legend_above, new_figure
from sweet_keras.report.palette import colour_of, marker_of, text_of
from sweet_keras.runs.comparison import compare, methods_of, sizes_of
from sweet_keras.runs.measurements import Trial


def accuracy_by_size(trials: tuple[Trial, ...]) -> Figure:
    """Draws the mean with its standard deviation over seeds, and each seed as a small dot.

    Args:
        trials: All trials of a run.
    """
    figure = new_figure(8.0, 3.8)
    axes = figure.subplots()
    sizes, methods = sizes_of(trials), methods_of(trials)
    gap = min(0.26, 0.8 / len(methods))
    handles = {}
    for cell in compare(trials):
        offset = (methods.index(cell.method) - (len(methods) - 1) / 2) * gap
        x = sizes.index(cell.size) + offset
        colour = colour_of(cell.method, methods)
        beside = [x + gap * 0.26] * len(cell.accuracies)
        if len(cell.accuracies) > 1:
            axes.scatter(
                beside, cell.accuracies, s=13, facecolors="none", edgecolors=colour, linewidths=1
            )
        handles[cell.method] = axes.errorbar(
            x,
            cell.mean,
            yerr=cell.deviation,
            color=colour,
            marker=marker_of(cell.method, methods),
            markersize=7.5,
            elinewidth=1.6,
            capsize=3,
            linestyle="none",
        )
    names = {trial.size: trial.parameters for trial in trials}
    axes.set_xticks(range(len(sizes)), [f"{size}\n{_short(names[size])}" for size in sizes])
    axes.set_xlim(-0.6, len(sizes) - 0.4)
    axes.tick_params(axis="x", length=0)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    axes.set_ylabel("accuracy on the test images")
    axes.margins(y=0.12)
    shown = [method for method in methods if method in handles]
    legend_above(figure, [handles[method] for method in shown], [text_of(m) for m in shown])
    return figure


def _short(parameters: int) -> str:
    if parameters == 0:
        return ""
    if parameters >= 1e6:
        return f"{parameters / 1e6:.3g} M parameters"
    return f"{parameters / 1e3:.3g} k parameters"
