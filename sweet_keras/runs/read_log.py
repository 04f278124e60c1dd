"""Reading `log.csv`, without keras."""

import csv
import os
from pathlib import Path


def read_log(path: str | os.PathLike) -> list[dict[str, float]]:
    """Reads `log.csv`.

    Args:
        path: the file.

    Returns:
        One mapping of column to number for each epoch; empty cells are left out. An empty list
        if there is no file.
    """
    path = Path(path)
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [
            {name: float(cell) for name, cell in row.items() if cell not in ("", None)}
            for row in csv.DictReader(file)
        ]
