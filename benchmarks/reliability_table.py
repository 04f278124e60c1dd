"""The table of what must not fail: `results/reliability.csv`.

Each program that measures a part of it replaces the rows of its own check and backend:

    write_row("devices_equal", "torch", tried=6, failed=0, worst=2.4e-07)
"""

import csv
import os
from pathlib import Path

from sweet_keras.core.atomic import atomic_write

RESULTS = Path(__file__).resolve().parent / "results" / "reliability.csv"
COLUMNS = ("check", "backend", "tried", "failed", "worst")
CHECKS = (
    "devices_equal",
    "kill_resume",
    "unreadable_checkpoint",
    "fuzz_crash",
    "fuzz_hang",
    "soak_growth",
)


def read_rows(path: str | os.PathLike = RESULTS) -> list[dict[str, str]]:
    """Returns the rows that are there, as text; none if there is no file."""
    path = Path(path)
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_row(
    check: str,
    backend: str,
    *,
    tried: int,
    failed: int,
    worst: float | str,
    path: str | os.PathLike = RESULTS,
) -> None:
    """Replaces the row of a check and a backend; all others are kept.

    Args:
        check: One of `CHECKS`.
        backend: Such as `"torch"`.
        tried: How often.
        failed: How many of these failed.
        worst: The worst value that was seen, in the check's own unit; empty where there is none.
        path: The file.

    Raises:
        ValueError: If there is no such check, or more failed than were tried.
    """
    if check not in CHECKS:
        raise ValueError(f"`check` must be one of {', '.join(CHECKS)}. Received: {check!r}")
    if not 0 <= failed <= tried:
        raise ValueError(f"`failed` must be from 0 to {tried}, those tried. Received: {failed}")
    shown = f"{worst:.4g}" if isinstance(worst, float) else str(worst)
    values = (check, backend, str(tried), str(failed), shown)
    kept = [row for row in read_rows(path) if (row["check"], row["backend"]) != (check, backend)]
    rows = [*kept, dict(zip(COLUMNS, values, strict=True))]
    rows.sort(key=lambda row: (CHECKS.index(row["check"]), row["backend"]))
    with (
        atomic_write(Path(path)) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
