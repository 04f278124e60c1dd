"""Figures without global state, and their way into a page or a file."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from sweet_keras.core.atomic import atomic_write
from sweet_keras.report.palette import COLOURS, GRID, INK, MUTED, PAPER

_STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED.light,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.labelcolor": INK.light,
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "axes.prop_cycle": matplotlib.cycler(color=[INK.light]),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK.light,
    "axes.titlelocation": "left",
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "figure.facecolor": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "grid.color": GRID.light,
    "grid.linewidth": 0.8,
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "legend.labelcolor": INK.light,
    "lines.linewidth": 1.8,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "text.color": INK.light,
    "text.parse_math": False,
    "xtick.color": MUTED.light,
    "xtick.labelcolor": INK.light,
    "ytick.color": MUTED.light,
    "ytick.labelcolor": INK.light,
}


@contextmanager
def style(name: str = "figure") -> Iterator[None]:
    """Sets the look of figures for as long as the block lasts.

    Args:
        name: Makes the ids in an SVG unique among the figures of a page.
    """
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **_STYLE, "svg.hashsalt": name}):
        yield


def new_figure(width: float = 8.0, height: float = 3.4) -> Figure:
    """Returns an empty figure.

    Args:
        width: In inches of 72 CSS pixels.
        height: In inches.
    """
    return Figure(figsize=(width, height), layout="constrained")


def new_panels(
    count: int, columns: int, height: float = 2.7, sharey: bool = True
) -> tuple[Figure, list[Axes]]:
    """Returns a figure of small panels.

    Args:
        count: Number of panels.
        columns: Panels side by side, at most.
        height: Of each row, in inches.
        sharey: Whether all have the same y axis.
    """
    columns = min(columns, count)
    rows = -(-count // columns)
    figure = new_figure(8.0, height * rows + 0.4)
    grid = figure.subplots(rows, columns, sharey=sharey, squeeze=False)
    panels = list(grid.flat)
    for axes in panels[count:]:
        axes.remove()
    return figure, panels[:count]


def legend_above(figure: Figure, handles: list, labels: list[str]) -> None:
    """Puts one legend for all panels above them, in as many columns as fit."""
    longest = max(map(len, labels))
    columns = min(5 if longest <= 20 else 4 if longest <= 27 else 3, len(labels))
    figure.legend(handles, labels, loc="outside upper left", ncols=columns, borderaxespad=0.2)


def to_svg(figure: Figure, description: str) -> str:
    """Draws a figure as SVG to be put into a page, in the colours of the page.

    Args:
        figure: The figure.
        description: What it shows, for those who do not see it; plain text.

    Returns:
        An `svg` element.
    """
    from html import escape

    buffer = io.StringIO()
    FigureCanvasSVG(figure)
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=nothing)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    width = float(re.search(r'viewBox="0 0 ([\d.]+)', svg)[1])
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    label = escape(description, quote=True)
    svg = svg.replace(
        "<svg", f'<svg role="img" aria-label="{label}" style="max-width: {width * 1.2:.0f}px"', 1
    )
    svg = svg.replace("'DejaVu Sans'", "system-ui, sans-serif")
    for colour in COLOURS:
        svg = re.sub(re.escape(colour.light), f"var(--{colour.name})", svg, flags=re.IGNORECASE)
    return svg


def save_png(figure: Figure, path: Path) -> None:
    """Writes a figure to a file, on white."""
    FigureCanvasAgg(figure)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150, facecolor=PAPER.light)
