"""The template file: safetensors, with the geometry as JSON in its metadata."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from sweet_keras.core.atomic import atomic_write
from sweet_keras.core.form import FORM, form_of
from sweet_keras.core.size import ViTSize
from sweet_keras.core.template import SweetTemplate

FORMAT_VERSION = 2  # version 1 knew one form of networks, the default one
_KEY, _DIGEST = "sweet_keras", "sha256"
_MAX_SIZE = 1 << 16  # no side, depth or width of a real network is larger
_FIELDS = ("image_shape", "patch_size", "class_token", "positions", "layer_scale")


def save_template(template: SweetTemplate, path: str | os.PathLike[str]) -> None:
    """Writes `template` to `path`: to a temporary name, flushed, then renamed.

    Raises:
        ValueError: If the folder does not exist or the record is not JSON.
        OSError: If the disk is full.
    """
    about = {
        "format_version": FORMAT_VERSION,
        "size": str(template.size),
        "head_dim": template.size.head_dim,
        "ranks": template.ranks,
        **{field: getattr(template, field) for field in _FIELDS},
        **form_of(template),
        "pixel_mean": template.pixel_mean,
        "pixel_std": template.pixel_std,
        "decoder": template.decoder and dataclasses.astuple(template.decoder),
        "record": dict(template.record),
    }
    try:
        text = json.dumps(about, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"`record` must hold JSON values. Received: {error}") from error
    arrays = {name: np.ascontiguousarray(array) for name, array in template.arrays.items()}
    with atomic_write(path) as temporary:
        try:
            metadata = {_KEY: text, _DIGEST: _digest(text, arrays)}
            safetensors.numpy.save_file(arrays, temporary, metadata=metadata)
        except safetensors.SafetensorError as error:  # of the disk: the arrays are checked
            raise OSError(f"{str(path)!r} could not be written: {error}") from error


def load_template(path: str | os.PathLike[str]) -> SweetTemplate:
    """Reads a template file, checking every name, shape, type and value.

    Raises:
        ValueError: If anything in the file is not as `save_template` writes it.
        FileNotFoundError: If there is no file.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"No template file at {str(path)!r}")
    try:
        with safetensors.safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            text = metadata.get(_KEY)
            if text is None:
                raise ValueError("a safetensors file, but not a template of sweet_keras")
            fields = _read_metadata(text)
            ranks = fields.pop("ranks")
            arrays = {name: _read_array(file, name) for name in file.keys()}
        template = SweetTemplate(arrays=arrays, **fields)
        if template.ranks != ranks:
            raise ValueError(f"core of shape {template.ranks}, but ranks {ranks} are declared")
        if metadata.get(_DIGEST) != _digest(text, arrays):
            raise ValueError("its content is not what was written: the file is damaged")
    except (
        safetensors.SafetensorError,
        ValueError,
        TypeError,
        KeyError,
        OverflowError,
        RecursionError,
    ) as error:
        raise ValueError(
            f"`path` must be a template written by sweet_keras. Received: {str(path)!r}: {error}"
        ) from error
    return template


def _digest(text: str, arrays: Mapping[str, np.ndarray]) -> str:
    """A checksum against damage, not against forgery."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()


def _read_array(file: Any, name: str) -> np.ndarray:
    dtype = file.get_slice(name).get_dtype()
    if dtype != "F32":  # asked first: numpy has no 8-bit floats, and `get_tensor` would trip
        raise ValueError(f"array {name!r} of type {dtype}, not F32")
    array: np.ndarray = file.get_tensor(name)
    return array


def _read_metadata(text: str) -> dict[str, Any]:
    # A record with NaN or infinity could be read but not saved again.
    data = json.loads(text, parse_float=_finite, parse_constant=_finite)
    if not isinstance(data, dict):
        raise ValueError("metadata that is no JSON object")
    version = data.pop("format_version", None)
    if type(version) is not int or not 1 <= version <= FORMAT_VERSION:
        raise ValueError(
            f"format version {version!r}, while this release reads 1 to {FORMAT_VERSION}"
        )
    expected = {*_FIELDS, "size", "head_dim", "ranks", "pixel_mean", "pixel_std", "decoder"}
    if version > 1:
        expected |= set(FORM)
    if set(data) != expected | {"record"}:
        raise ValueError(f"metadata fields {sorted(data)}")
    if not (isinstance(data["class_token"], bool) and isinstance(data["layer_scale"], bool)):
        raise ValueError("`class_token` and `layer_scale` that are not true or false")
    if not isinstance(data["record"], dict):
        raise ValueError("a `record` that is no JSON object")
    decoder = data["decoder"]
    size = ViTSize.parse(data.pop("size"), data.pop("head_dim"))
    fields = {
        **data,
        "size": size,
        "ranks": _integers(data["ranks"], "ranks"),
        "image_shape": _integers(data["image_shape"], "image_shape"),
        "pixel_mean": _numbers(data["pixel_mean"], "pixel_mean"),
        "pixel_std": _numbers(data["pixel_std"], "pixel_std"),
        "decoder": None if decoder is None else ViTSize(*_integers(decoder, "decoder")),
    }
    _integers([*dataclasses.astuple(size), data["patch_size"]], "sizes", 4)
    return fields


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text} in its metadata")
    return value


def _numbers(values: Any, name: str) -> tuple[float, ...]:
    if not all(type(value) in (int, float) for value in values):
        raise ValueError(f"{name} {values!r}, not numbers")
    return tuple(float(value) for value in values)


def _integers(values: Any, name: str, count: int = 3) -> tuple[int, ...]:
    within = all(type(value) is int and 0 < value <= _MAX_SIZE for value in values)
    if not within or len(values) != count:
        raise ValueError(f"{name} {values!r}, not {count} integers from 1 to {_MAX_SIZE}")
    return tuple(values)
