"""From a run directory to `report.html`."""

import json
import os
from pathlib import Path
from typing import Any

from sweet_keras.core.atomic import atomic_write
from sweet_keras.report import html, markdown
from sweet_keras.report.comparison_headline import headline_of
from sweet_keras.report.comparison_page import comparison_page
from sweet_keras.report.drawing import save_png, to_svg
from sweet_keras.report.page_style import stylesheet
from sweet_keras.report.parts import parts
from sweet_keras.report.tables import made_with
from sweet_keras.runs.config import read_values
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.results import Results
from sweet_keras.runs.summary import summary_of


def write_report(run_dir: str | os.PathLike, *, png: bool = True) -> Path:
    """Renders the report of a run from the files in its directory.

    Reads `results.json`, `log.csv`, `config.yaml`, `environment.json` and the images that are kept
    in `.npz` files, as far as they are there, so that a report can be rendered again at any time.
    Writes `report.html`, which loads nothing from anywhere, and its figures as PNG in `figures/`;
    of a comparison also `results.md`, which shows them.

    Args:
        run_dir: The run directory.
        png: Whether to write the figures as files as well.

    Returns:
        The path of the report.

    Raises:
        ValueError: If there is no run, or a file in it is not valid.
    """
    run = RunDirectory(run_dir)
    if run.state == "new":
        raise ValueError(
            "Expected the directory of a run, with config.yaml or results.json in it. "
            f"Received: {run.path}"
        )
    results = Results.load(run.results) if run.results.exists() else None
    options = read_values(run.config) if run.config.exists() else {}
    environment = {}
    if run.environment.exists():
        environment = json.loads(run.environment.read_text(encoding="utf-8"))
    if png:
        run.figures.mkdir(exist_ok=True)
    sections, drawn = [], {}
    for part in parts(run, results, options):
        if png:
            save_png(part.figure, run.figures / f"{part.name}.png")
            drawn[part.name] = f"figures/{part.name}.png", f"{part.title}. {part.caption}"
        svg = to_svg(part.figure, f"{part.title}. {part.caption}")
        sections.append(html.section(part.title, html.figure(svg, part.caption), part.below))
    made = made_with(environment, options)
    if made:
        sections.append(html.section("How it was made", made))
    title, header = _header(run, results, environment)
    page = html.page(title, stylesheet(), header + "".join(sections))
    with atomic_write(run.report) as path:
        path.write_text(page, encoding="utf-8")
    if png:
        _write_markdown(run, results, drawn)
    return run.report


def _write_markdown(
    run: RunDirectory, results: Results | None, figures: dict[str, tuple[str, str]]
) -> None:
    summary = summary_of(run, results)
    if summary is None:
        return
    first, more = headline_of(run, results)
    text = "\n".join(
        [
            markdown.heading(1, first),
            *(markdown.text(sentence) + "\n" for sentence in (*more, *results.notes)),
            comparison_page(summary, figures),
        ]
    )
    with atomic_write(run.markdown) as path:
        path.write_text(text, encoding="utf-8")


def _header(
    run: RunDirectory, results: Results | None, environment: dict[str, Any]
) -> tuple[str, str]:
    if results is None:
        first, more = "This run is not finished", ["What follows is what it has written so far."]
        command, finished = environment.get("command", "run"), environment.get("started", "")
    else:
        first, more = headline_of(run, results)
        more += results.notes
        command, finished = results.command, results.finished
        data = results.task.data
    kicker = f"sweet {command} · {data if results else run.path.name} · {finished}"
    sentences = "".join(
        html.element("p", sentence, class_="warning" if sentence.startswith("Warning") else "")
        for sentence in more
    )
    header = (
        f"<header>{html.element('p', kicker, class_='kicker')}{html.element('h1', first)}"
        f"{sentences}</header>"
    )
    return f"{first} - sweet {command}", header
