"""Values from files and command lines, converted where nothing is lost."""

import math
import os
import types
import typing
from typing import Any, Literal


def coerce(hint: Any, value: Any, name: str) -> Any:
    """Convert `value` to the type `hint` where nothing is lost, or refuse.

    Args:
        hint: one of int, float, str, bool, a `Literal`, `tuple[T, ...]`, or a union with None.
        value: the value, as the command line, YAML or Python gives it.
        name: name of the option, for the error message.

    Returns:
        The value in the type of `hint`.

    Raises:
        ValueError: if the value does not fit.
    """
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        if value is None:
            return None
        (inner,) = [argument for argument in arguments if argument is not type(None)]
        return coerce(inner, value, name)
    if origin is Literal:
        if value in arguments:
            return value
        choices = ", ".join(map(str, arguments))
        raise ValueError(f"{name} must be one of {choices}. Received: {value!r}")
    if origin is tuple:
        items = value if isinstance(value, (list, tuple)) else [value]
        return tuple(coerce(arguments[0], item, name) for item in items)
    return _coerce_scalar(hint, value, name)


def _coerce_scalar(kind: type, value: Any, name: str) -> Any:
    error = ValueError(f"{name} must be of type {kind.__name__}. Received: {value!r}")
    if kind is bool:
        if isinstance(value, bool):
            return value
        raise error
    if value is None or isinstance(value, bool):
        raise error
    if kind is str:
        if isinstance(value, os.PathLike):
            return os.fspath(value)
        if isinstance(value, (list, tuple)):  # ranks: [36, 96, 96]
            return ",".join(map(str, value))
        return str(value)
    # YAML reads 1e-3 (without a dot) as a string, so strings are converted as well.
    try:
        number = kind(value)
    except (TypeError, ValueError, OverflowError):  # the last of infinity as a whole number
        raise error from None
    if kind is float and not math.isfinite(number):
        raise error
    if isinstance(value, float) and number != value:
        raise error
    return number
