"""The table `results/reliability.csv`: what was attacked, how often, and how often it failed."""

import csv
from pathlib import Path

from sweet_keras.core.atomic import atomic_write

TABLE = Path(__file__).resolve().parent / "results" / "reliability.csv"
COLUMNS = ("check", "backend", "tried", "failed", "worst")
CHECKS = (
    "devices_equal",
    "kill_resume",
    "unreadable_checkpoint",
    "fuzz_crash",
    "fuzz_hang",
    "soak_growth",
)


def read(table: Path = TABLE) -> list[dict[str, str]]:
    """Rows of the table, in its order."""
    if not table.exists():
        return []
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def put(
    check: str, backend: str, tried: int, failed: int, worst: float, table: Path = TABLE
) -> None:
    """Writes the row of a check and a backend in place of the one that is there.

    Args:
        check: One of `CHECKS`.
        backend: Name of the backend; `"none"` for what runs without one.
        tried: How often it was tried.
        failed: How often it failed.
        worst: The worst that was seen, in the check's unit (see docs/long_runs.md).
        table: The file.

    Raises:
        ValueError: For an unknown check.
    """
    if check not in CHECKS:
        raise ValueError(f"`check` must be one of {', '.join(CHECKS)}. Received: {check!r}")
    row = {
        "check": check,
        "backend": backend,
        "tried": str(tried),
        "failed": str(failed),
        "worst": f"{worst:.4g}",
    }
    rows = {(old["check"], old["backend"]): old for old in read(table)}
    rows[check, backend] = row
    order = sorted(rows, key=lambda key: (CHECKS.index(key[0]), key[1]))
    with (
        atomic_write(table) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[key] for key in order)
