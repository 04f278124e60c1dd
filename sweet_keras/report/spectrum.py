"""Figure: singular values of the kernels of each kind."""

from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from sweet_keras.report.drawing import legend_above, new_panels
from sweet_keras.report.palette import MUTED, colour_of, text_of
from sweet_keras.runs.measurements import Spectrum
from sweet_keras.runs.spectrum import SICK

_TITLES = {"mlp_in": "MLP in", "mlp_out": "MLP out"}
_LINES = ("-", "--", ":", "-.")


def spectrum(spectra: tuple[Spectrum, ...]) -> Figure:
    """Draws a panel for each kind of kernel and a line for each method.

    Args:
        spectra: Of networks of one size.
    """
    kinds = list(dict.fromkeys(part.kind for part in spectra))
    methods = list(dict.fromkeys(part.method for part in spectra))
    figure, panels = new_panels(len(kinds), columns=3, height=2.1)
    handles = {}
    worst = max(part.values[0] for part in spectra)
    for axes, kind in zip(panels, kinds, strict=True):
        axes.set_title(_TITLES.get(kind, kind))
        for number, method in enumerate(methods):
            for part in spectra:
                if part.kind != kind or part.method != method:
                    continue
                last = max(len(part.values) - 1, 1)
                (handles[method],) = axes.plot(
                    [100 * index / last for index in range(len(part.values))],
                    [max(value, 1e-3) for value in part.values],
                    color=colour_of(method, methods),
                    linestyle=_LINES[number % len(_LINES)],
                )
        if worst > SICK / 3:
            axes.axhline(SICK, color=MUTED.light, linewidth=1, linestyle=(0, (1, 2)))
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_xlim(0, 100)
    for axes in panels[-3:]:
        axes.set_xlabel("place in the order, %")
    legend_above(figure, list(handles.values()), [text_of(method) for method in handles])
    return figure
