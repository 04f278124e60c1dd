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

    Raises:
        ValueError: if it is no table of numbers.
    """
    path = Path(path)
    if not path.exists():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [
                {name: float(cell) for name, cell in row.items() if cell not in ("", None)}
                for row in csv.DictReader(file)
            ]
    # TypeError: of a row that is longer than the first.
    except (ValueError, TypeError, csv.Error) as error:
        raise ValueError(f"Expected a table of numbers. Received: {path} ({error})") from error
    if any("epoch" not in row or "seconds" not in row for row in rows):
        raise ValueError(f"Expected a table with the columns epoch and seconds. Received: {path}")
    return rows
