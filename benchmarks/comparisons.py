"""All ways to start a network: runs the comparisons, and renders what they found.

    KERAS_BACKEND=torch python benchmarks/comparisons.py classification --data fashion-mnist=FOLDER
    KERAS_BACKEND=torch python benchmarks/comparisons.py detection segmentation \\
        --data fashion-mnist=FOLDER --data scenes=SCENES

from the root of the repository, with FOLDER the four IDX files of Fashion-MNIST and SCENES what
`make_scenes.py` makes of them. Every file in the folder of a table is a configuration of
`sweet compare`. Interrupted, it goes on where it was; started several times at once, the processes
share the work. Comes out, for each table: `results/TABLE.csv` and `results/TABLE.md`, with figures.

With `--render` nothing is trained: runs that lie here are merged into the committed table, and the
page is drawn from it.
"""

import argparse
import csv
import dataclasses
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from sweet_keras.core.atomic import atomic_write
from sweet_keras.report import markdown, write_report
from sweet_keras.report.comparison_figures import comparison_figures
from sweet_keras.report.comparison_headline import comparison_headline
from sweet_keras.report.comparison_page import comparison_page
from sweet_keras.report.drawing import save_png
from sweet_keras.runs.compare_config import CompareConfig
from sweet_keras.runs.config import read_values
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.measurements import Trial
from sweet_keras.runs.results import Results
from sweet_keras.runs.results_table import Row, read_table, steps_to_baseline, write_table
from sweet_keras.runs.score import METRICS
from sweet_keras.runs.summary import OURS, Summary, tasks_of

HERE = Path(__file__).resolve().parent
PATIENCE = 10.0  # seconds between looks at what other processes have done

# The tables, and what their networks learn.
TASKS = {
    "classification": "classify",
    "decomposition": "classify",  # of templates that are made of a plain network
    "detection": "detect",
    "segmentation": "segment",
}
SHOWN = ("AP", "AP50", "mIoU")
COLUMNS = ("dataset", "method", "size", "seed", "model", "metric", "value")


class Run(NamedTuple):
    """A comparison that is finished."""

    config: CompareConfig
    rows: Sequence[Row]
    results: Results


ABOUT = (
    "Made by `python benchmarks/comparisons.py {table}`. The recipes are the files in "
    "`benchmarks/{table}/`, the protocol and the methods stand in `docs/method.md`. Seconds are "
    "those of one process on the machine that trained it.\n"
)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="+", choices=TASKS, help="what to compare by")
    parser.add_argument("--render", action="store_true", help="train nothing")
    parser.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="NAME=SPEC",
        help="where the data lies that the configurations call NAME",
    )
    parser.add_argument("--configs", type=Path, default=HERE, metavar="FOLDER")
    parser.add_argument("--results", type=Path, default=HERE / "results", metavar="FOLDER")
    options = parser.parse_args(arguments)
    places = dict(pair.split("=", 1) for pair in options.data)
    configs = {
        table: [
            read_config(path, places) for path in sorted((options.configs / table).glob("*.yaml"))
        ]
        for table in options.tables
    }
    if not options.render:
        run_all([config for table in configs.values() for config in table])
    options.results.mkdir(parents=True, exist_ok=True)
    for table, its_configs in configs.items():
        runs = [run for config in its_configs if (run := read_run(config)) is not None]
        if TASKS[table] == "classify":
            write_classification(table, runs, options.results, options.render)
        elif runs:
            write_measures(options.results / f"{table}.csv", runs)
            render(table, merge(run.rows for run in runs), runs, options.results)


def write_classification(table: str, runs: Sequence[Run], results: Path, keep: bool) -> None:
    """Writes a table of classification, which also knows what each start costs."""
    path = results / f"{table}.csv"
    runs = with_steps(runs)
    rows = merge(run.rows for run in runs)
    if keep and path.exists():
        rows = replace(read_table(path), rows)
    write_table(path, rows)
    render(table, with_least_seconds(rows), runs, results)


def read_config(path: Path, places: dict[str, str]) -> CompareConfig:
    """Reads a configuration; its data lies where the command line says."""
    values = read_values(path)
    for name in ("data", "annotated"):
        if name in values:
            values[name] = places.get(values[name], values[name])
    return CompareConfig.from_mapping(values, str(path))


def read_run(config: CompareConfig) -> Run | None:
    """What a configuration came to, if it was run here."""
    run = RunDirectory(config.out)
    if not run.results.exists():
        return None
    return Run(config, read_table(run.table), Results.load(run.results))


def run_all(configs: Sequence[CompareConfig]) -> None:
    """Runs what is missing, and looks again at what other processes work on."""
    from sweet_keras.runs.compare import compare

    console = Console(stderr=True)
    missing = list(configs)
    while missing:
        for config in list(missing):
            if compare(config, resume=True, wait=False, console=console) is not None:
                write_report(config.out)
                missing.remove(config)
        if missing:
            time.sleep(PATIENCE)


def with_steps(runs: Sequence[Run]) -> list[Run]:
    """The same runs, with steps to the random start of their task, which one of them has."""
    counted = []
    for run in runs:
        task = run.rows[0].dataset, run.rows[0].labels
        together = trials_of(task, runs)
        steps = dict(zip(map(id, together), steps_to_baseline(together), strict=True))
        rows = [
            dataclasses.replace(row, steps_to_random=steps[id(trial)])
            for row, trial in zip(run.rows, run.results.trials, strict=True)
        ]
        counted.append(run._replace(rows=rows))
    return counted


def with_least_seconds(rows: Sequence[Row]) -> list[Row]:
    """The same rows, with the least time that making a network took in any of them.

    That work is the same for any number of labels; a busy or slower machine takes longer for it.
    """
    least: dict[tuple, float] = {}
    for row in rows:
        key = row.dataset, row.method, row.size
        least[key] = min(row.adapt_seconds, least.get(key, row.adapt_seconds))
    return [
        dataclasses.replace(row, adapt_seconds=least[row.dataset, row.method, row.size])
        for row in rows
    ]


def merge(tables: Iterable[Sequence[Row]]) -> list[Row]:
    """Puts the rows of several runs together.

    Raises:
        ValueError: If two runs measured the same.
    """
    merged: dict[tuple, Row] = {}
    for row in (row for table in tables for row in table):
        key = row.dataset, row.labels, row.method, row.size, row.seed
        if key in merged:
            raise ValueError(f"Each fine-tuning must come from one run. Received: {key} twice")
        merged[key] = row
    return list(merged.values())


def replace(before: Sequence[Row], rows: Sequence[Row]) -> list[Row]:
    """Puts rows in the place of older ones of the same task and method."""
    new = {(row.dataset, row.labels, row.method) for row in rows}
    kept = [row for row in before if (row.dataset, row.labels, row.method) not in new]
    return [*kept, *rows]


def write_measures(table: Path, runs: Iterable[Run]) -> None:
    """Writes a table of detection or segmentation: a row for each measure, in per cent."""
    with atomic_write(table) as path, path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for config, rows, results in runs:
            model = f"{config.library}/{config.head}"
            for row, trial in zip(rows, results.trials, strict=True):
                found = {results.task.metric: trial.accuracy, **trial.more}
                for metric, value in found.items():
                    if metric in SHOWN and value is not None:
                        cell = row.dataset, row.method, row.size, row.seed
                        writer.writerow([*cell, model, metric, f"{100 * value:.2f}"])


def render(table: str, rows: Sequence[Row], runs: Sequence[Run], folder: Path) -> None:
    """Writes a page and its figures.

    Learning curves are drawn from the runs that lie here; those of others stay as they are.
    """
    figures = folder / table
    figures.mkdir(parents=True, exist_ok=True)
    parts = [markdown.heading(1, table.capitalize()), ABOUT.format(table=table)]
    for summary in tasks_of(rows, METRICS[TASKS[table]]):
        drawn = draw(summary, trials_of((summary.dataset, summary.labels), runs), figures)
        parts.append(comparison_page(summary, drawn, sentences=_sentences(summary)))
    with atomic_write(folder / f"{table}.md") as path:
        path.write_text("\n".join(parts), encoding="utf-8")


def trials_of(task: tuple[str, int], runs: Sequence[Run]) -> tuple[Trial, ...]:
    """The fine-tunings of a task, with their curves, as far as the runs lie here.

    Args:
        task: Data set and number of labels.
        runs: The runs.
    """
    return tuple(
        trial
        for _, rows, results in runs
        if (rows[0].dataset, rows[0].labels) == task
        for trial in results.trials
    )


def draw(summary: Summary, trials: tuple[Trial, ...], folder: Path) -> dict[str, tuple[str, str]]:
    """Draws the figures of a task; gives their paths and captions for the page."""
    stem = f"{summary.dataset}-{summary.labels}".replace("/", "-").replace(" ", "-")
    drawn = {}
    for figure in comparison_figures(summary, trials):
        path = folder / f"{stem}-{figure.name}.png"
        save_png(figure.figure, path)
        drawn[figure.name] = f"{folder.name}/{path.name}", f"{figure.title}. {figure.caption}"
    learning = folder / f"{stem}-learning.png"
    if "learning" not in drawn and learning.exists():
        drawn["learning"] = f"{folder.name}/{learning.name}", "Learning curves."
    return drawn


def _sentences(summary: Summary) -> list[str]:
    if summary.best_other() is None or not summary.averages(OURS):
        return []
    first, more = comparison_headline(summary)
    return [f"{first}.", *more]


if __name__ == "__main__":
    main()
