"""Importing a library that an extra brings."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any


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


def lazy_package(
    package: str, homes: Mapping[str, str], library: str
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Makes the `__getattr__` and `__dir__` of a package whose names need a library.

    At the first name all are imported, so that Keras can load models made of them; at once if the
    library is there already.

    Args:
        package: Name of the package.
        homes: Module, below sweet_keras, of each of its names.
        library: Name of the library's module.
    """

    def register() -> None:
        for home in homes.values():
            importlib.import_module(f"sweet_keras.{home}")

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        register()
        return getattr(importlib.import_module(f"sweet_keras.{homes[name]}"), name)

    if sys.modules.get(library):
        register()
    return get, lambda: sorted(homes)
