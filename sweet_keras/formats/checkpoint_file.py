"""Opening a checkpoint, whatever it is kept in; nothing in it is executed."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sweet_keras.formats.keras_file import open_h5, open_keras
from sweet_keras.formats.npz_file import open_npz
from sweet_keras.formats.safetensors_file import open_safetensors
from sweet_keras.formats.stored import Stored
from sweet_keras.formats.torch_file import open_torch

_OPENERS: dict[str, Callable[..., Any]] = {
    ".safetensors": open_safetensors,
    ".npz": open_npz,
    ".h5": open_h5,
    ".hdf5": open_h5,
    ".keras": open_keras,
    ".pt": open_torch,
    ".pth": open_torch,
    ".bin": open_torch,
    ".ckpt": open_torch,
}
# What a folder of Hugging Face, timm or KerasHub keeps its weights in.
_IN_FOLDERS = ("model.safetensors", "model.weights.h5", "pytorch_model.bin")
_PREPROCESSOR = "preprocessor_config.json"
_LARGEST_JSON = 1 << 24


class Checkpoint(NamedTuple):
    """An open checkpoint.

    Attributes:
        arrays: By the names in the file.
        config: The architecture, as the file or a `config.json` beside it says it; or empty.
        preprocessor: Contents of a `preprocessor_config.json` beside it, or empty.
    """

    arrays: dict[str, Stored]
    config: dict[str, Any]
    preprocessor: dict[str, Any]


@contextlib.contextmanager
def open_checkpoint(path: str | os.PathLike[str]) -> Iterator[Checkpoint]:
    """Opens a file, or the folder that one of these libraries wrote.

    Args:
        path: Ends in .safetensors, .npz, .keras, .weights.h5, .pt, .pth, .bin or .ckpt, or is a
            folder with such a file.

    Yields:
        A `Checkpoint`, whose arrays can be read until the block ends.

    Raises:
        ValueError: If it is none of these, is damaged, or declares arrays that it cannot hold.
        FileNotFoundError: If there is nothing at `path`.
    """
    file = Path(path)
    if file.is_dir():
        found = [file / name for name in _IN_FOLDERS if (file / name).is_file()]
        if not found:
            raise refused(path, f"a folder without {' or '.join(_IN_FOLDERS)}")
        file = found[0]
    if not file.is_file():
        raise FileNotFoundError(f"No checkpoint at {str(path)!r}")
    opener = _OPENERS.get(file.suffix.lower())
    if opener is None:
        raise refused(path, f"a name that ends in none of {', '.join(_OPENERS)}")
    with contextlib.ExitStack() as stack:
        try:
            opened = stack.enter_context(opener(file))
            arrays, config = opened if isinstance(opened, tuple) else (opened, None)
            beside = [_json(file.parent / name) for name in ("config.json", _PREPROCESSOR)]
        except ImportError:
            raise
        except Exception as error:  # zipfile, h5py, torch and numpy raise nearly anything
            raise refused(path, error) from error
        yield Checkpoint(arrays, beside[0] if config is None else config, beside[1])


def refused(path: str | os.PathLike[str], reason: object) -> ValueError:
    """The error about a checkpoint that cannot be used."""
    text = " ".join(str(reason).split()) or type(reason).__name__
    return ValueError(
        f"`path` must be a checkpoint of a vision transformer. Received: {str(path)!r}: {text}"
    )


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    if path.stat().st_size > _LARGEST_JSON:
        raise ValueError(f"a {path.name} of {path.stat().st_size} bytes")
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"a {path.name} that is no JSON object")
    return content
