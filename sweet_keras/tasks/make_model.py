"""Puts a model of another library on a vision transformer."""

from __future__ import annotations

import importlib
import inspect
import itertools
from collections.abc import Sequence
from typing import Any

import keras

from sweet_keras.tasks.extras import EXTRAS
from sweet_keras.tasks.head import Head


def make_model(
    head: Head,
    vit: Any,
    classes: int | Sequence[str],
    *,
    optimizer: Any,
    jit_compile: bool | str = "auto",
    options: dict[str, Any] | None = None,
    **pyramid: Any,
) -> keras.Model:
    """Makes the pyramid and the model, and compiles it.

    Args:
        head: Which model, of a library that is installed; see `choose_head`.
        vit: A `ViTBackbone` or a `SweetTemplateViT`.
        classes: Number of classes, or their names, which are saved with the model.
        optimizer: As `compile` takes it.
        jit_compile: As `compile` takes it.
        options: Of the model.
        **pyramid: Arguments of the library's `pyramid`.

    Raises:
        ValueError: If an argument does not fit.
    """
    number, names = _number_and_names(classes)
    options = options or {}
    known = list(inspect.signature(head.make).parameters)[2:]
    unknown = [name for name in options if name not in known]
    if unknown:
        raise ValueError(
            f"Options of {head.name} ({head.library}) are: {', '.join(known) or 'none'}. "
            f"Received: {', '.join(unknown)}"
        )
    _check_sides(head, pyramid.get("image_shape") or vit.image_shape)
    package = importlib.import_module(f"sweet_keras.{EXTRAS[head.library]}")
    backbone = package.pyramid(vit, levels=head.levels, class_names=names, **pyramid)
    model = head.make(backbone, number, **options)
    model.compile(optimizer=optimizer, jit_compile=jit_compile, **head.losses())
    return model


def _number_and_names(classes: int | Sequence[str]) -> tuple[int, tuple[str, ...] | None]:
    """The number of classes, and their names if these are given."""
    if isinstance(classes, Sequence) and not isinstance(classes, str):
        names = tuple(classes)
        if names and all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
            return len(names), names
    elif type(classes) is int and classes >= 1:
        return classes, None
    raise ValueError(
        f"`classes` must be a number of at least 1, or names, each once. Received: {classes!r}"
    )


def _check_sides(head: Head, image_shape: tuple[int, ...]) -> None:
    """Refuses images of which a level cannot be laid over the next one, doubled."""
    if head.joins is None:
        return
    finest, deepest = head.joins
    for side in image_shape[:2]:
        sides = [-(-side // 2**level) for level in range(finest, deepest + 1)]
        if any(fine != 2 * deep for fine, deep in itertools.pairwise(sides)):
            raise ValueError(
                f"`image_shape` must have sides that {head.name} can halve down to a stride of "
                f"{2**deepest}: multiples of {2**deepest} always do. "
                f"Received: {tuple(image_shape)}"
            )
