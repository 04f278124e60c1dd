"""Figure: what each step costs in seconds, and what has to be stored."""

from textwrap import shorten

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sweet_keras.report.drawing import new_figure
from sweet_keras.report.palette import ADAPT, RANDOM, SLICE, THIRD
from sweet_keras.runs.comparison import compare, sizes_of
from sweet_keras.runs.results import Results

_INITIALIZATION = {"sweet_slice": ("slice", SLICE.light), "sweet_adapt": ("adapt", ADAPT.light)}

_LABEL = 28  # characters; longer names would leave no room for bars


def cost(results: Results) -> Figure:
    """Draws bars for the seconds of each step, and for the numbers stored.

    Args:
        results: Results with a pre-training.
    """
    times = _times(results)
    stored = _stored(results)
    rows = max(len(times), len(stored))
    figure = new_figure(8.0, 0.75 + 0.27 * rows)
    left, right = figure.subplots(1, 2)
    _bars(left, times, _seconds)
    left.set_title("seconds (logarithmic)")
    left.set_xscale("log")
    smallest = min(value for _, value, _ in times)
    left.set_xlim(10**-2 if smallest >= 0.02 else smallest / 2, times[0][1] * 12)
    _bars(right, stored, _thousands)
    right.set_title("numbers to store")
    right.set_xlim(0, max(value for _, value, _ in stored) * 1.25)
    return figure


def _times(results: Results) -> list[tuple[str, float, str]]:
    """Returns label, seconds and colour of each bar."""
    bars = [("pre-train once", results.pretraining.seconds, THIRD.light)]
    cells = compare(results.trials)
    for method, (verb, colour) in _INITIALIZATION.items():
        for cell in cells:
            if cell.method == method and cell.initialization_seconds > 0:
                bars.append((f"{verb} {cell.size}", cell.initialization_seconds, colour))
    for size in sizes_of(results.trials):
        tuned = [cell.seconds for cell in cells if cell.size == size]
        bars.append((f"fine-tune {size}", sum(tuned) / len(tuned), RANDOM.light))
    return [bar for bar in bars if bar[1] > 0]


def _stored(results: Results) -> list[tuple[str, float, str]]:
    """Returns label, count and colour of each bar."""
    bars = [("the template", results.pretraining.template_parameters, SLICE.light)]
    plain = {cell.size: cell.parameters for cell in compare(results.trials)}
    bars += [(f"plain {size}", parameters, RANDOM.light) for size, parameters in plain.items()]
    if len(plain) > 1:
        bars.append(("all of these", sum(plain.values()), RANDOM.light))
    return bars


def _bars(axes: Axes, bars: list[tuple[str, float, str]], show) -> None:
    labels, values, colours = zip(*bars, strict=True)
    places = range(len(bars))
    drawn = axes.barh(places, values, color=colours, height=0.62)
    axes.bar_label(drawn, [show(value) for value in values], padding=4)
    axes.set_yticks(places, [shorten(label, _LABEL, placeholder=" …") for label in labels])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", which="both", length=0, labelbottom=False)
    axes.grid(False)
    axes.spines["bottom"].set_visible(False)


def _seconds(value: float) -> str:
    return f"{value:.0f} s" if value >= 10 else f"{value:.2g} s"


def _thousands(value: float) -> str:
    return f"{value / 1e6:.3g} M" if value >= 1e6 else f"{value / 1e3:.3g} k"
