"""The figures of a report, with what is said about them."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from sweet_keras.report.accuracy_by_size import accuracy_by_size
from sweet_keras.report.class_bars import class_bars
from sweet_keras.report.comparison_figures import comparison_figures
from sweet_keras.report.comparison_tables import Table, comparison_tables
from sweet_keras.report.cost import cost
from sweet_keras.report.drawing import style
from sweet_keras.report.found_boxes import found_boxes
from sweet_keras.report.found_masks import found_masks
from sweet_keras.report.frechet_by_step import frechet_by_step
from sweet_keras.report.generation import LOSSES as GENERATOR_LOSSES
from sweet_keras.report.generation import curves_of, frechet_caption
from sweet_keras.report.html import element, table
from sweet_keras.report.learning_curves import learning_curves
from sweet_keras.report.loss_curve import loss_curve
from sweet_keras.report.reconstructions import reconstructions
from sweet_keras.report.sample_grid import sample_grid
from sweet_keras.report.spectrum import spectrum
from sweet_keras.report.tables import accuracy_table
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.examples import load_examples
from sweet_keras.runs.measurements import Trial
from sweet_keras.runs.read_log import read_log
from sweet_keras.runs.reconstruction import load_reconstruction
from sweet_keras.runs.results import Results
from sweet_keras.runs.samples import load_samples
from sweet_keras.runs.summary import Summary, summary_of

_LOSSES = {
    "accuracy": "Cross-entropy.",
    "AP": "Losses of boxes and classes, as the library adds them.",
    "mIoU": "Cross-entropy, mean over the pixels.",
}


class Part(NamedTuple):
    """A figure of the report with what belongs to it."""

    name: str
    title: str
    caption: str
    figure: Figure
    below: str = ""


def parts(
    run: RunDirectory, results: Results | None, options: Mapping[str, Any] | None = None
) -> Iterator[Part]:
    """Gives the figures there is data for, in the order of the page.

    Args:
        run: The run's folder.
        results: What it found; None if it is not finished.
        options: Those of the run.
    """
    trials = results.trials if results else ()
    summary = summary_of(run, results)
    if summary is not None:
        yield from _comparison(summary, trials)
        return
    log = read_log(run.log)
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
                "Accuracy on validation images during fine-tuning."
                if alone
                else "Accuracy on a fixed part of the test images during fine-tuning: mean over "
                "the seeds, and the range from the lowest to the highest.",
                learning_curves(trials),
            )
    if len(trials) == 1:
        yield from _found(run, results)
    if results and run.samples.exists():
        yield from _generated(run, results)
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
            yield Part("loss", *_about_loss(results, options or {}), loss_curve(log))
    if results and results.pretraining and trials:
        with style("cost"):
            yield Part(
                "cost",
                "Cost",
                "The template is trained and stored once; slicing or adapting is done for each "
                "size. Seconds of this machine; those of the pre-training and of adapting include "
                "compilation, those of fine-tuning do not.",
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


def _about_loss(results: Results | None, options: Mapping[str, Any]) -> tuple[str, str]:
    """Title and caption of the figure of the loss."""
    pretrained = results is None or results.pretraining is not None
    title = "Loss of the pre-training" if pretrained else "Loss of the fine-tuning"
    if results is None:
        generates, objective = options.get("task") == "generate", options.get("objective") or "flow"
    else:
        made = results.generation or results.pretraining
        objective = made.objective if made else "reconstruct"
        generates = objective in GENERATOR_LOSSES
    if generates:
        return "Loss of the training" if results is None else title, GENERATOR_LOSSES[objective]
    if pretrained:
        return title, (
            "Mean squared error on hidden patches, pixels normalised patch by patch. A network "
            "that has learned nothing gets 1, or less where images have flat areas."
        )
    return title, _LOSSES[results.task.metric]


def _generated(run: RunDirectory, results: Results) -> Iterator[Part]:
    """What a generator makes, and how far that is from the test images."""
    with style("samples"):
        yield Part(
            "samples",
            "Generated images",
            "Some of each class, not chosen: the first that the seed gives.",
            sample_grid(*load_samples(run.samples), results.task.classes),
        )
    made = results.generation
    if made is not None and len(made.curve_steps) > 1:
        with style("frechet"):
            yield Part(
                "frechet",
                "Fréchet distance by step",
                frechet_caption(results),
                frechet_by_step(curves_of(made)),
            )


def _found(run: RunDirectory, results: Results) -> Iterator[Part]:
    """What a fine-tuned network finds, by class and in examples."""
    task, trial = results.task, results.trials[0]
    if run.examples.exists():
        with style("examples"):
            examples = load_examples(run.examples)
            boxes = task.metric == "AP"
            yield Part(
                "examples",
                "Examples",
                "Test images. Dashed: the objects there are. Solid: what was found with a score "
                "of at least 30 %."
                if boxes
                else "Test images, the classes of their pixels, and the predicted ones. White: "
                "not counted.",
                (found_boxes if boxes else found_masks)(examples, task.classes),
            )
    if any(value is not None for value in trial.class_accuracy):
        with style("classes"):
            name = f"{task.metric[0].upper()}{task.metric[1:]}"
            yield Part(
                "classes",
                f"{name} of each class",
                f"On {task.test_images:,} test images; of more than 40 classes the best and the "
                "worst.",
                class_bars(trial.class_accuracy, task.classes, task.metric),
            )


def _comparison(summary: Summary, trials: tuple[Trial, ...]) -> Iterator[Part]:
    accuracy, *differences, cost = map(_below, comparison_tables(summary))
    below = {"accuracy": "".join([accuracy, *differences]), "cost": cost}
    for figure in comparison_figures(summary, trials):
        alone = figure.name == "accuracy" and len(summary.averaged) < 2  # no figure of the cost
        yield Part(*figure, below.get(figure.name, "") + (cost if alone else ""))


def _below(made: Table) -> str:
    return (
        element("h3", made.title)
        + element("p", made.note, class_="note")
        + table(made.header, made.rows, made.numbers)
    )
