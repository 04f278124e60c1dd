"""The figures of a report, with what is said about them."""

from collections.abc import Iterator
from typing import NamedTuple

from matplotlib.figure import Figure

from sweet_keras.report.accuracy_by_size import accuracy_by_size
from sweet_keras.report.comparison_figures import comparison_figures
from sweet_keras.report.comparison_tables import Table, comparison_tables
from sweet_keras.report.cost import cost
from sweet_keras.report.drawing import style
from sweet_keras.report.html import element, table
from sweet_keras.report.learning_curves import learning_curves
from sweet_keras.report.loss_curve import loss_curve
from sweet_keras.report.reconstructions import reconstructions
from sweet_keras.report.spectrum import spectrum
from sweet_keras.report.tables import accuracy_table
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.measurements import Trial
from sweet_keras.runs.read_log import read_log
from sweet_keras.runs.reconstruction import load_reconstruction
from sweet_keras.runs.results import Results
from sweet_keras.runs.summary import Summary, summary_of


class Part(NamedTuple):
    """A figure of the report with what belongs to it."""

    name: str
    title: str
    caption: str
    figure: Figure
    below: str = ""


def parts(run: RunDirectory, results: Results | None) -> Iterator[Part]:
    """Gives the figures there is data for, in the order of the page."""
    trials = results.trials if results else ()
    summary = summary_of(run, results)
    if summary is not None:
        yield from _comparison(summary, trials)
        return
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
                "Accuracy on validation images during fine-tuning."
                if alone
                else "Accuracy on a fixed part of the test images during fine-tuning: mean over "
                "the seeds, and the range from the lowest to the highest.",
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
                "Mean squared error on hidden patches, pixels normalised patch by patch. A network "
                "that has learned nothing gets 1, or less where images have flat areas."
                if pretrained
                else "Cross-entropy.",
                loss_curve(log),
            )
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
