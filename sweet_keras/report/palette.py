"""Colours of figures and page, for light and dark surroundings.

Families of methods have the colours of Okabe and Ito, which colour-blind readers tell apart, and
within a family markers and dashes differ, so that nothing rests on colour alone. Each colour has a
name: in a page the figures refer to it (`var(--slice)`), and the page's style gives it its value
for light or dark.
"""

import dataclasses
from typing import Any

from sweet_keras.runs.method_names import split_name


@dataclasses.dataclass(frozen=True)
class Colour:
    """A colour with a value for light and one for dark surroundings."""

    name: str
    light: str
    dark: str


# The light values must differ from each other: they are looked for in the figures.
INK = Colour("ink", "#1c2127", "#e8eaed")
MUTED = Colour("muted", "#5d6670", "#a3abb4")
GRID = Colour("grid", "#dfe3e8", "#343b44")
PAPER = Colour("paper", "#fffffe", "#15191e")
RANDOM = Colour("random", "#747c85", "#9aa3ad")
SLICE = Colour("slice", "#0072b2", "#56a9e0")
ADAPT = Colour("adapt", "#d55e00", "#f58a3c")
THIRD = Colour("third", "#009e73", "#2fc79b")
FOURTH = Colour("fourth", "#b0568c", "#dd8fbd")
FIFTH = Colour("fifth", "#b08500", "#e0b93a")

COLOURS = (INK, MUTED, GRID, PAPER, RANDOM, SLICE, ADAPT, THIRD, FOURTH, FIFTH)


@dataclasses.dataclass(frozen=True)
class Style:
    """How a method is drawn.

    Attributes:
        colour: Its colour; figures use the light value.
        marker: In matplotlib's letters.
        dashes: Line style of matplotlib.
        bold: Whether it is one that the eye should find first.
    """

    colour: Colour
    marker: str
    dashes: Any = "-"
    bold: bool = False


_DOTTED, _DASHED = (0, (1, 1.6)), (0, (4.5, 1.8))

_STYLES = {
    "random": Style(RANDOM, "o"),
    "xavier": Style(RANDOM, "D", _DASHED),
    "mimetic": Style(RANDOM, "v", _DOTTED),
    "weight_selection": Style(FIFTH, "o"),
    "prefix": Style(FIFTH, "D", _DASHED),
    "share": Style(FOURTH, "o"),
    "heur_lg": Style(FOURTH, "D", _DASHED),
    "auto_lg": Style(FOURTH, "v", _DOTTED),
    "tleg": Style(THIRD, "o"),
    "ligo": Style(THIRD, "D", _DASHED),
    "fine": Style(FOURTH, "X", _DASHED),
    "wave": Style(THIRD, "v", _DOTTED),
    "direct": Style(INK, "X", _DASHED, bold=True),
    "sweet_slice": Style(SLICE, "s", bold=True),
    "sweet_adapt": Style(ADAPT, "^", bold=True),
    "template": Style(SLICE, "s"),
    "file": Style(THIRD, "D"),
}
# 3 colours and 7 markers: 21 pairs before one comes twice.
_OTHER_COLOURS, _OTHER_MARKERS = (THIRD, FOURTH, FIFTH), "DvPX<>*"

METHOD_TEXT = {
    "random": "random (normal)",
    "xavier": "random (Xavier)",
    "mimetic": "mimetic",
    "weight_selection": "weight selection",
    "prefix": "prefix selection",
    "share": "Share-Init",
    "heur_lg": "Heur-LG",
    "auto_lg": "Auto-LG",
    "tleg": "TLEG",
    "ligo": "LiGO",
    "fine": "FINE",
    "wave": "WAVE",
    "direct": "direct pre-training",
    "sweet_slice": "SWEET slice",
    "sweet_adapt": "SWEET adapt",
    "template": "template",
    "file": "from a file",
}


def style_of(method: str, methods: list[str]) -> Style:
    """Returns how a method is drawn.

    Args:
        method: The method, or a variant of one, which has the colour of the method.
        methods: All methods of the figure, in order: unknown ones get what is left.
    """
    if method in _STYLES:
        return _STYLES[method]
    others = [name for name in methods if name not in _STYLES]
    place = others.index(method)
    marker = _OTHER_MARKERS[place % len(_OTHER_MARKERS)]
    base, variant = split_name(method)
    if variant is not None and base in _STYLES:
        return Style(_STYLES[base].colour, marker, (_DOTTED, _DASHED)[place % 2])
    return Style(_OTHER_COLOURS[place % len(_OTHER_COLOURS)], marker)


def colour_of(method: str, methods: list[str]) -> str:
    """Returns the light value of a method's colour; see `style_of`."""
    return style_of(method, methods).colour.light


def marker_of(method: str, methods: list[str]) -> str:
    """Returns the marker of a method; see `style_of`."""
    return style_of(method, methods).marker


def text_of(method: str) -> str:
    """Returns how a method is called in legends and tables."""
    base, variant = split_name(method)
    text = METHOD_TEXT.get(base, base)
    return text if variant is None else f"{text}, {variant.replace('_', ' ')}"
