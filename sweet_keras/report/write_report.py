"""From a run directory to `report.html`."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from sweet_keras.core.atomic import atomic_write
from sweet_keras.report import html
from sweet_keras.report.accuracy_by_size import accuracy_by_size
from sweet_keras.report.cost import cost
from sweet_keras.report.drawing import save_png, style, to_svg
from sweet_keras.report.headline import headline
from sweet_keras.report.learning_curves import learning_curves
from sweet_keras.report.loss_curve import loss_curve
from sweet_keras.report.page_style import stylesheet
from sweet_keras.report.reconstructions import reconstructions
from sweet_keras.report.spectrum import spectrum
from sweet_keras.report.tables import accuracy_table, class_table, made_with
from sweet_keras.runs.config import read_values
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.read_log import read_log
from sweet_keras.runs.reconstruction import load_reconstruction
from sweet_keras.runs.results import Results


class Part(NamedTuple):
    """A figure of the report with what belongs to it."""

    name: str
    title: str
    caption: str
    figure: Figure
    below: str = ""


def write_report(run_dir: str | os.PathLike) -> Path:
    """Renders the report of a run from the files in its directory.

    Reads `results.json`, `log.csv`, `reconstruction.npz`, `config.yaml` and `environment.json`, as
    far as they are there, so that a report can be rendered again at any time. Writes `report.html`,
    which loads nothing from anywhere, and its figures as PNG in `figures/`.

    Args:
        run_dir: The run directory.

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
    run.figures.mkdir(exist_ok=True)
    sections = []
    for part in _parts(run, results):
        save_png(part.figure, run.figures / f"{part.name}.png")
        svg = to_svg(part.figure, f"{part.title}. {part.caption}")
        sections.append(html.section(part.title, html.figure(svg, part.caption), part.below))
    if results is not None and len(results.trials) == 1:
        below = class_table(results)
        sections += [html.section("Accuracy of each class", below)] if below else []
    made = made_with(environment, options)
    if made:
        sections.append(html.section("How it was made", made))
    title, header = _header(run, results, environment)
    page = html.page(title, stylesheet(), header + "".join(sections))
    with atomic_write(run.report) as path:
        path.write_text(page, encoding="utf-8")
    return run.report


def _header(
    run: RunDirectory, results: Results | None, environment: dict[str, Any]
) -> tuple[str, str]:
    if results is None:
        first, more = "This run is not finished", ["What follows is what it has written so far."]
        command, finished = environment.get("command", "run"), environment.get("started", "")
    else:
        first, more = headline(results)
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
    return f"{first} – sweet {command}", header


def _parts(run: RunDirectory, results: Results | None) -> Iterator[Part]:
    """Gives the figures there is data for, in the order of the page."""
    trials = results.trials if results else ()
    log = read_log(run.log)
    pretrained = results is None or results.pretraining is not None
    if len(trials) > 1:
        with style("accuracy"):
            yield Part(
                "accuracy",
                "Accuracy",
                "Large marks: mean over the seeds, with the standard deviation. Small circles: "
                "single seeds. All methods: same labels, steps, learning rate and seeds.",
                accuracy_by_size(trials),
                accuracy_table(results),
            )
    if any(len(trial.curve_accuracy) > 1 for trial in trials):
        with style("learning"):
            alone = len(trials) == 1
            yield Part(
                "learning",
                "Learning curves",
                "Accuracy on validation images during fine-tuning." if alone else
                "Accuracy on a fixed part of the test images during fine-tuning: mean over the "
                "seeds, and the range from the lowest to the highest.",
                learning_curves(trials),
            )
    if run.reconstruction.exists():
        with style("reconstructions"):
            yield Part(
                "reconstructions",
                "Reconstructions",
                "Images of the training data, with patches hidden at random. Each predicted patch "
                "is brought back to the brightness and contrast of the true one, which the "
                "autoencoder does not predict.",
                reconstructions(load_reconstruction(run.reconstruction)),
            )
    if log:
        with style("loss"):
            yield Part(
                "loss",
                "Loss of the pre-training" if pretrained else "Loss of the fine-tuning",
                "Mean squared error on hidden patches, pixels normalised patch by patch: 1 means "
                "that nothing was learned." if pretrained else "Cross-entropy.",
                loss_curve(log),
            )
    if results and results.pretraining and trials:
        with style("cost"):
            yield Part(
                "cost",
                "Cost",
                "The template is trained and stored once; slicing or adapting is done for each "
                "size. Seconds of this machine.",
                cost(results),
            )
    if results and results.spectra:
        size = results.spectra[0].size
        with style("spectrum"):
            yield Part(
                "spectrum",
                f"Spectrum of the kernels, {size}",
                "Singular values before fine-tuning, largest first, mean over the layers. A "
                "healthy network has largest values of a few units; far above ten it trains badly.",
                spectrum(results.spectra),
            )
