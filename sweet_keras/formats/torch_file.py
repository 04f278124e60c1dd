"""Arrays in a file of torch, read by torch itself with `weights_only=True`."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from pathlib import Path

from sweet_keras.formats.stored import Stored, of_array


@contextlib.contextmanager
def open_torch(path: Path) -> Iterator[dict[str, Stored]]:
    """Opens a file; torch is imported for it, whatever backend Keras runs on.

    Args:
        path: The file.

    Yields:
        Its arrays of floats.

    Raises:
        ImportError: In one line, if torch is not installed.
    """
    try:
        torch_state = importlib.import_module("sweet_keras.backends.formats.torch_state")
    except ImportError as error:
        raise ImportError(
            "Files of torch are read by torch: pip install 'sweet_keras[torch]', or convert the "
            f"file to safetensors ({error})"
        ) from None
    yield {name: of_array(array) for name, array in torch_state.read_state(path).items()}
