"""Attributes that are replaced for a while."""

import contextlib
from collections.abc import Iterator
from typing import Any

__all__ = ["patched"]


@contextlib.contextmanager
def patched(target: Any, **attributes: Any) -> Iterator[None]:
    """Sets attributes of an object or a class, and takes them away again.

    Args:
        target: What gets them.
        **attributes: The values, by name.
    """
    missing = object()
    before = {name: vars(target).get(name, missing) for name in attributes}
    for name, value in attributes.items():
        setattr(target, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is missing:
                delattr(target, name)
            else:
                setattr(target, name, value)
