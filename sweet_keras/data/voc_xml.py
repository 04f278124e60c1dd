"""The XML files of Pascal VOC."""

from __future__ import annotations

import math
import reprlib
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

_MOST_BYTES = 2**24


class VocObject(NamedTuple):
    """One object of a VOC file; `fault` says what is wrong with it, if anything."""

    name: str
    box: tuple[float, float, float, float]
    difficult: bool
    fault: str | None = None


class VocImage(NamedTuple):
    """One VOC file: the image it names, its `(height, width)` if said, and the objects."""

    filename: str | None
    size: tuple[int, int] | None
    objects: tuple[VocObject, ...]


def read_voc_xml(path: Path) -> VocImage:
    """Parses one annotation.

    Boxes are counted in VOC from 1, and the right and the bottom pixel belongs
    to the object; here they are edges, counted from 0. An object that cannot be
    understood is kept, with its `fault`.

    Args:
        path: The file.

    Returns:
        Its content.

    Raises:
        ValueError: If the file is no VOC annotation, declares a document type
            (entities could be hidden there), or is larger than 16 MiB. The
            message begins with the path.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise ValueError(f"more than {_MOST_BYTES} bytes")
        root = _parsed(content)
        if root.tag != "annotation":
            raise ValueError(f"expected <annotation> around all, received <{root.tag[:40]}>")
        size = _size(root)
    except (OSError, ValueError, ET.ParseError, expat.ExpatError, LookupError) as error:
        raise ValueError(f"{path}: unreadable VOC annotation. Received: {error}") from error
    # What a part of an object is called, such as a head, is none of the classes.
    objects = tuple(_object(element) for element in root.findall("object"))
    return VocImage(_text(root, "filename"), size, objects)


def _parsed(content: bytes) -> ET.Element:
    """Parses XML that declares no document type, and so no entities."""

    def refuse(*_: object) -> None:
        raise ValueError("a document type (DOCTYPE) is not accepted")

    checker = expat.ParserCreate()
    checker.StartDoctypeDeclHandler = refuse
    checker.Parse(content, True)
    return ET.fromstring(content)  # noqa: S314 - nothing to expand, as just checked


def _text(element: ET.Element, key: str) -> str | None:
    text = (element.findtext(key) or "").strip()
    return text or None


def _size(root: ET.Element) -> tuple[int, int] | None:
    """Height and width; some programs write 0 where they do not know."""
    element = root.find("size")
    if element is None:
        return None
    texts = _text(element, "height"), _text(element, "width")
    if None in texts or set(texts) == {"0"}:
        return None
    height, width = (int(text) for text in texts)
    if min(height, width) < 1:
        raise ValueError(f"the size must be at least 1. Received: height {height}, width {width}")
    return height, width


def _object(element: ET.Element) -> VocObject:
    name, difficult = _text(element, "name"), _text(element, "difficult") or "0"
    box = element.find("bndbox")
    edges = [None if box is None else _text(box, key) for key in ("xmin", "ymin", "xmax", "ymax")]
    try:
        if name is None or difficult not in ("0", "1"):
            raise ValueError("expected a name, and 0 or 1 for difficult")
        left, top, right, bottom = (float(edge or "missing") for edge in edges)
    except ValueError as error:
        received = reprlib.repr({"name": name, "difficult": difficult, "bndbox": edges})
        fault = f"An object must have a name and a box: {error}. Received: {received}"
        return VocObject(name or "", (math.nan,) * 4, False, fault)
    return VocObject(name, (left - 1, top - 1, right, bottom), difficult == "1")
