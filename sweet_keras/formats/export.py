"""From a network to the formats of other libraries."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from sweet_keras.core.atomic import atomic_write
from sweet_keras.formats.export_graph import FRAMEWORKS, export_graph
from sweet_keras.formats.export_huggingface import export_huggingface
from sweet_keras.formats.export_keras_cv import to_keras_cv
from sweet_keras.formats.export_keras_hub import to_keras_hub
from sweet_keras.formats.export_timm import export_timm
from sweet_keras.formats.plain_network import check_model


def _export_keras(model: Any, path: Path, convert: Callable[[Any], keras.Model]) -> None:
    """Writes a `.keras` file with what is made of the network."""
    if path.suffix != ".keras":
        raise ValueError(f"`path` must end in .keras. Received: {str(path)!r}")
    made = convert(model)
    with atomic_write(path) as temporary:
        made.save(temporary)


def _as_it_is(model: Any) -> keras.Model:
    check_model(model)
    return model


_WRITERS: dict[str, Callable[[Any, Path], None]] = {
    "timm": export_timm,
    "huggingface": export_huggingface,
    "keras_hub": functools.partial(_export_keras, convert=to_keras_hub),
    "keras_cv": functools.partial(_export_keras, convert=to_keras_cv),
    "keras": functools.partial(_export_keras, convert=_as_it_is),
    **{name: functools.partial(export_graph, format=name) for name in FRAMEWORKS},
}
FORMATS = tuple(_WRITERS)


def export(model: Any, path: str | os.PathLike[str], format: str, overwrite: bool = False) -> Path:
    """Writes a network in the format of another library.

    | format | what is written | what it takes |
    |---|---|---|
    | `"timm"` | a folder for `timm.create_model("local-dir:..")` | the mean and std in it |
    | `"huggingface"` | a folder for `from_pretrained` | the mean and std in it |
    | `"keras_hub"` | a `.keras` file | pixels in -1..1 |
    | `"keras_cv"` | a `.keras` file with a `ViTDetBackbone` | pixels in 0..255 |
    | `"keras"` | a `.keras` file of this package | pixels in 0..255 |
    | `"onnx"`, `"saved_model"`, `"litert"`, `"torch_export"` | a graph | pixels in 0..255 |

    Args:
        model: A `ViTBackbone`, or an `ImageClassifier` of one.
        path: A new file or folder. It is written under another name and renamed at the end.
        format: See above.
        overwrite: Whether a file or folder at `path` is replaced.

    Returns:
        `path`.

    Raises:
        ValueError: If the format is unknown, the path is taken or has the wrong suffix, or the
            other library has no network that computes the same.
        ImportError: In one line, if a library is needed that is not installed.

    Example:
    ```python
    sk.export(vit, "birds-timm", format="timm")
    sk.export(classifier, "birds.onnx", format="onnx")
    ```
    """
    if format not in _WRITERS:
        raise ValueError(f"`format` must be one of {', '.join(FORMATS)}. Received: {format!r}")
    path = Path(path)
    if path.exists() and not overwrite:
        raise ValueError(
            f"`path` must be new, unless `overwrite` is true. Received: {str(path)!r}, which exists"
        )
    _WRITERS[format](model, path)
    return path
