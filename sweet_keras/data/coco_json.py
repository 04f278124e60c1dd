"""The parts of COCO's JSON that may be wrong, checked."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def read_coco(path: Path) -> dict[str, list[Any]]:
    """Reads an "instances" file.

    Args:
        path: The file.

    Returns:
        An object with the lists `images`, `annotations` and `categories`.

    Raises:
        ValueError: If there is no such file, or it is no JSON or of another kind.
    """
    if not path.is_file():
        raise ValueError(f"`annotations_json` must be an existing file. Received: {path}")
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: unreadable JSON. Received: {error}") from error
    keys = ("images", "annotations", "categories")
    if not isinstance(content, dict) or any(type(content.get(key)) is not list for key in keys):
        kind = sorted(content)[:8] if isinstance(content, dict) else type(content).__name__
        raise ValueError(
            f"{path}: Expected COCO instances: an object with the lists {', '.join(keys)}. "
            f"Received: {reprlib.repr(kind)}"
        )
    objects = content["annotations"]
    if objects and not any(isinstance(entry, dict) and "bbox" in entry for entry in objects):
        raise ValueError(
            f"{path}: Expected COCO instances, with a bbox for each object; captions and panoptic "
            f"segments are another format. Received: {reprlib.repr(objects[0])}"
        )
    return content


def number_categories(
    path: Path, categories: list[Any], classes: Sequence[str] | None
) -> tuple[tuple[str, ...], dict[int, int]]:
    """Numbers the categories from 0.

    Args:
        path: The file, for messages.
        categories: Its list of that name.
        classes: Names in the order of the classes; by default those of the file
            by ascending id.

    Returns:
        The names, and the class of each category id that has one.

    Raises:
        ValueError: If a category has no name or no id, or one is used twice.
    """
    names: dict[int, str] = {}
    for entry in categories:
        key = entry.get("id") if isinstance(entry, dict) else None
        name = entry.get("name") if isinstance(entry, dict) else None
        if type(key) is not int or not isinstance(name, str) or key in names:
            raise ValueError(
                f"{path}: A category must have a name, and an id of its own. "
                f"Received: {reprlib.repr(entry)}"
            )
        names[key] = name
    ordered = tuple(names[key] for key in sorted(names)) if classes is None else tuple(classes)
    repeated = {name for name in ordered if ordered.count(name) > 1}
    if repeated or not ordered or len(set(names.values())) != len(names):
        raise ValueError(
            f"{path}: Categories must have different names, and there must be one. "
            f"Received: {reprlib.repr(ordered)}"
        )
    label = {name: position for position, name in enumerate(ordered)}
    return ordered, {key: label[name] for key, name in names.items() if name in label}


def json_field(entry: Any, key: str, types: tuple[type, ...]) -> Any:
    """A value that must be of one of these types; `True` is no number.

    Args:
        entry: What should be an object of the file.
        key: Its name there.
        types: The types.

    Returns:
        The value.

    Raises:
        ValueError: If it is missing or of another type.
    """
    if not isinstance(entry, dict) or type(entry.get(key)) not in types:
        raise ValueError(
            f"`{key}` must be of type {' or '.join(t.__name__ for t in types)}. "
            f"Received: {reprlib.repr(entry)}"
        )
    return entry[key]


def json_box(value: Any) -> tuple[float, ...]:
    """The four numbers of a `bbox`.

    Args:
        value: What the file holds.

    Returns:
        Left edge, top edge, width and height.

    Raises:
        ValueError: If these are no four numbers.
    """
    if not isinstance(value, list) or len(value) != 4:
        raise ValueError(f"`bbox` must be [x, y, width, height]. Received: {reprlib.repr(value)}")
    if any(type(number) not in (int, float) for number in value):
        raise ValueError(f"`bbox` must be four numbers. Received: {reprlib.repr(value)}")
    return tuple(json_float(number) for number in value)


def json_float(number: int | float) -> float:
    """A number as a float, infinite if it is beyond any.

    Args:
        number: What the file holds.

    Returns:
        The float.
    """
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")
