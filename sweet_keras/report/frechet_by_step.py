"""Figure: Fréchet distance during training, by size and method."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, MaxNLocator

from sweet_keras.report.drawing import legend_above, new_panels
from sweet_keras.report.palette import style_of, text_of
from sweet_keras.runs.comparison import methods_of, sizes_of


class GeneratorCurve(NamedTuple):
    """Fréchet distances of one generator.

    Attributes:
        method: How it was started.
        size: Its size, such as `"L6H6"`.
        seed: Of the training.
        steps: Steps at which it was measured.
        distances: Fréchet distance at each of them, in units of squared features.
    """

    method: str
    size: str
    seed: int
    steps: Sequence[int]
    distances: Sequence[float]


def frechet_by_step(curves: Sequence[GeneratorCurve]) -> Figure:
    """Draws the mean over seeds, and the range over seeds as a band, on a logarithmic axis.

    Args:
        curves: Those of one method and size measured at the same steps.
    """
    sizes, methods = sizes_of(curves), methods_of(curves)
    figure, panels = new_panels(len(sizes), columns=3, height=3.0)
    handles = {}
    for axes, size in zip(panels, sizes, strict=True):
        axes.set_title(size)
        axes.set_yscale("log")
        # Not as powers of ten, which would be formulas.
        axes.yaxis.set_major_formatter(LogFormatter())
        axes.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1, 0.5)))
        for method in methods:
            group = [c for c in curves if (c.size, c.method) == (size, method)]
            if not group:
                continue
            columns = list(zip(*(curve.distances for curve in group), strict=True))
            style = style_of(method, methods)
            (handles[method],) = axes.plot(
                group[0].steps,
                [statistics.fmean(column) for column in columns],
                color=style.colour.light,
                marker=style.marker if len(columns) <= 20 else None,
                markersize=4.5,
                linewidth=2.2 if style.bold else 1.4,
                zorder=3 if style.bold else 2,
            )
            if len(group) > 1:
                low, high = ([pick(column) for column in columns] for pick in (min, max))
                colour = style.colour.light
                axes.fill_between(group[0].steps, low, high, color=colour, alpha=0.16, linewidth=0)
        axes.set_xlabel("training step")
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    panels[0].set_ylabel("Fréchet distance")
    if len(handles) > 1:
        shown = [method for method in methods if method in handles]
        legend_above(figure, [handles[method] for method in shown], [text_of(m) for m in shown])
    return figure
