"""Colours of figures and page, for light and dark surroundings.

Methods have the colours of Okabe and Ito, which colour-blind readers tell apart, and markers of
their own, so that nothing rests on colour alone. Each colour has a name: in a page the figures
refer to it (`var(--slice)`), and the page's style gives it its value for light or dark.
"""

import dataclasses


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

_METHODS = {
    "random": (RANDOM, "o"),
    "slice": (SLICE, "s"),
    "adapt": (ADAPT, "^"),
    "template": (SLICE, "s"),
    "file": (THIRD, "D"),
}
# 3 colours and 7 markers: 21 pairs before one comes twice.
_OTHER_COLOURS, _OTHER_MARKERS = (THIRD, FOURTH, FIFTH), "DvPX<>*"

METHOD_TEXT = {
    "random": "random",
    "slice": "template, sliced",
    "adapt": "template, adapted",
    "template": "template",
    "file": "from a file",
}


def colour_of(method: str, methods: list[str]) -> str:
    """Returns the light value of a method's colour.

    Args:
        method: The method.
        methods: All methods of the figure, in order: unknown ones get what is left.
    """
    return _style(method, methods)[0].light


def marker_of(method: str, methods: list[str]) -> str:
    """Returns the marker of a method, in matplotlib's letters."""
    return _style(method, methods)[1]


def text_of(method: str) -> str:
    """Returns how a method is called in legends and tables."""
    return METHOD_TEXT.get(method, method)


def _style(method: str, methods: list[str]) -> tuple[Colour, str]:
    if method in _METHODS:
        return _METHODS[method]
    others = [name for name in methods if name not in _METHODS]
    place = others.index(method)
    colour = _OTHER_COLOURS[place % len(_OTHER_COLOURS)]
    return colour, _OTHER_MARKERS[place % len(_OTHER_MARKERS)]
