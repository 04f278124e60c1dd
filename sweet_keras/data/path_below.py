"""File names from an annotation, kept to their folder."""

from __future__ import annotations

import os
import reprlib
from pathlib import Path


def path_below(folder: Path, name: object, must_exist: bool = True) -> Path:
    """The path of a file that must lie in a folder or below it.

    The name is judged as it is written: links that the owner of the folder has
    put there are followed.

    Args:
        folder: The folder.
        name: Path relative to it, from a file that may be hostile.
        must_exist: Whether there must be such a file.

    Returns:
        The path of the file.

    Raises:
        ValueError: If the name is no text, leads out of the folder, or there is
            no such file and `must_exist`.
    """
    received = f"Received: {reprlib.repr(name)}"
    if not isinstance(name, str) or not name:
        raise ValueError(f"The name of a file must be text. {received}")
    relative = Path(name)
    if relative.anchor or ".." in relative.parts:
        raise ValueError(f"The file must lie in {folder}. {received}")
    # isfile is False, too, for what no file can be called.
    if must_exist and not os.path.isfile(folder / relative):
        raise ValueError(f"There must be such a file in {folder}. {received}")
    return folder / relative
