"""A comparison as Markdown."""

from collections.abc import Iterable, Mapping

from sweet_keras.report import markdown
from sweet_keras.report.comparison_tables import comparison_tables
from sweet_keras.runs.summary import Summary


def comparison_page(
    summary: Summary,
    figures: Mapping[str, tuple[str, str]],
    sentences: Iterable[str] = (),
    level: int = 2,
) -> str:
    """Returns the tables of one task with its figures.

    Args:
        summary: Of the task.
        figures: Path, relative to the page, and caption by name (`accuracy`, `cost`, `learning`);
            those that are missing are left out.
        sentences: What stands under its heading.
        level: Of its heading.
    """
    title = f"{summary.dataset}, {summary.labels:,} labels"
    parts = [markdown.heading(level, title)]
    parts += [markdown.text(sentence) + "\n" for sentence in sentences]
    for table in comparison_tables(summary):
        parts += [markdown.heading(level + 1, table.title), markdown.text(table.note) + "\n"]
        parts.append(markdown.table(table.header, table.rows, table.numbers))
        parts += _figure(figures, table.figure)
    if "learning" in figures:
        parts += [markdown.heading(level + 1, "Learning curves"), *_figure(figures, "learning")]
    return "\n".join(parts)


def _figure(figures: Mapping[str, tuple[str, str]], name: str) -> list[str]:
    if name not in figures:
        return []
    path, caption = figures[name]
    return [markdown.image(path, caption.partition(". ")[0]), markdown.text(caption) + "\n"]
