"""Small pieces of Markdown; every text is escaped here and nowhere else."""

import re
from collections.abc import Iterable, Sequence

Row = Sequence[object]


def text(value: object) -> str:
    """Returns a value as text on one line that Markdown takes as such."""
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", " ".join(str(value).split()))


def heading(level: int, title: str) -> str:
    """Returns a heading."""
    return f"{'#' * level} {text(title)}\n"


def image(path: str, description: str) -> str:
    """Returns an image.

    Args:
        path: Relative to the page.
        description: What it shows, for those who do not see it.
    """
    return f"![{text(description)}]({path.replace(' ', '%20').replace(')', '%29')})\n"


def table(header: Sequence[str], rows: Iterable[Row], numbers: Iterable[int] = ()) -> str:
    """Returns a table of plain text.

    Args:
        header: Titles of the columns.
        rows: Cells; of a pair the first part is a class: `"best"` is set in bold.
        numbers: Columns that are set to the right.
    """
    right = set(numbers)
    rule = ["---:" if column in right else "---" for column in range(len(header))]
    lines = [[text(title) for title in header], rule]
    lines += [[_cell(cell) for cell in row] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(cell: object) -> str:
    kind, value = cell if isinstance(cell, tuple) else ("", cell)
    return f"**{text(value)}**" if kind == "best" and str(value) else text(value)
