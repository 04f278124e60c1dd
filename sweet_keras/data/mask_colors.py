"""The file that says which colours of masks stand for which class."""

from __future__ import annotations

import json
import re
import reprlib
from pathlib import Path

from sweet_keras.data.decode_mask import IGNORED, Colour

IGNORED_NAME = "ignored"  # its colours are those of pixels that do not count

_COLOUR = re.compile("#[0-9a-fA-F]{6}")


def read_mask_colors(path: Path) -> dict[str, tuple[Colour, ...]]:
    """Reads the colours of classes.

    Args:
        path: A JSON file such as `{"road": "#804080", "car": ["#00008e", "#0000e6"],
            "ignored": "#000000"}`: for each class in the order of their numbers its colour, or
            several. Pixels with a colour of "ignored" do not count.

    Returns:
        RGB triples by name.

    Raises:
        ValueError: If there is no such file or it holds anything else.
    """
    expected = f'{path}: Expected an object of class names and colours, such as "road": "#804080". '
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{expected}Received: unreadable JSON: {error}") from error
    if not isinstance(content, dict) or not content.keys() - {IGNORED_NAME}:
        raise ValueError(f"{expected}Received: {reprlib.repr(content)}")
    colors = {}
    for name, value in content.items():
        listed = value if isinstance(value, list) else [value]
        if not listed or not all(isinstance(c, str) and _COLOUR.fullmatch(c) for c in listed):
            raise ValueError(f"{expected}Received: {reprlib.repr({name: value})}")
        colors[name] = tuple(tuple(bytes.fromhex(colour[1:])) for colour in listed)
    return colors


def number_mask_colors(
    colors: dict[str, tuple[Colour, ...]],
) -> tuple[tuple[str, ...], dict[Colour, int]]:
    """Numbers the classes from 0, in the order of the file.

    Args:
        colors: What `read_mask_colors` returned.

    Returns:
        The names, and the value of each colour, as `MaskFolder` takes them.

    Raises:
        ValueError: If a colour stands for two classes.
    """
    names = tuple(name for name in colors if name != IGNORED_NAME)
    numbers = {name: number for number, name in enumerate(names)} | {IGNORED_NAME: IGNORED}
    values: dict[Colour, int] = {}
    for name, listed in colors.items():
        for colour in listed:
            if colour in values:
                raise ValueError(
                    "Each colour of a mask must stand for one class. "
                    f"Received: #{bytes(colour).hex()} twice, also for {name!r}"
                )
            values[colour] = numbers[name]
    return names, values
