"""Importing a library that an extra brings."""

from __future__ import annotations

import importlib
from types import ModuleType


def optional_library(name: str, extra: str) -> ModuleType:
    """Imports a library.

    Args:
        name: Of its module.
        extra: The extra of sweet_keras that brings it and what it needs.

    Raises:
        ImportError: In one line, if it or something that it imports is not installed.
    """
    importlib.import_module("keras")  # first: torch must be loaded before TensorFlow
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"sweet_keras.{extra} needs {name}: pip install 'sweet_keras[{extra}]' ({error})"
        ) from None
