"""Small pieces of HTML; every text is escaped here and nowhere else."""

from collections.abc import Iterable, Sequence
from html import escape

Row = Sequence[object]


def text(value: object) -> str:
    """Returns a value as text that HTML takes as such."""
    return escape(str(value), quote=True)


def element(name: str, content: object, **attributes: str) -> str:
    """Returns an element around plain text; `class_` stands for the attribute `class`."""
    return f"<{name}{_attributes(attributes)}>{text(content)}</{name}>"


def section(title: str, *parts: str) -> str:
    """Returns a section: a title in plain text over parts that are HTML already."""
    return f"<section>{element('h2', title)}{''.join(parts)}</section>"


def figure(svg: str, caption: str) -> str:
    """Returns a figure: an `svg` element over a caption in plain text."""
    return f"<figure>{svg}</figure>{element('figcaption', caption)}"


def table(header: Sequence[str], rows: Iterable[Row], numbers: Iterable[int] = ()) -> str:
    """Returns a table of plain text.

    Args:
        header: Titles of the columns.
        rows: Cells; a cell that is a pair is a class for the style and the text.
        numbers: Columns that are set to the right.
    """
    right = set(numbers)
    head = "".join(
        element("th", title, class_="number" if column in right else "")
        for column, title in enumerate(header)
    )
    body = "".join(f"<tr>{_cells(row, right)}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody>'
        "</table></div>"
    )


def page(title: str, style: str, body: str) -> str:
    """Returns a whole page that loads nothing from anywhere.

    Args:
        title: Plain text.
        style: CSS.
        body: HTML.
    """
    # The policy makes sure of it, even if a text should ever slip through unescaped.
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{element('title', title)}<style>{style}</style></head><body>{body}</body></html>\n"
    )


def _cells(row: Row, right: set[int]) -> str:
    cells = []
    for column, cell in enumerate(row):
        kind, value = cell if isinstance(cell, tuple) else ("", cell)
        classes = " ".join(filter(None, ("number" if column in right else "", kind)))
        cells.append(element("td", value, class_=classes))
    return "".join(cells)


def _attributes(attributes: dict[str, str]) -> str:
    return "".join(
        f' {name.rstrip("_")}="{text(value)}"' for name, value in attributes.items() if value
    )
