"""The figures of a comparison, with what is said about them."""

from collections.abc import Iterator
from typing import NamedTuple

from matplotlib.figure import Figure

from sweet_keras.report.accuracy_by_cost import accuracy_by_cost
from sweet_keras.report.accuracy_dots import accuracy_dots
from sweet_keras.report.drawing import style
from sweet_keras.report.learning_curves import learning_curves
from sweet_keras.runs.measurements import Trial
from sweet_keras.runs.method_names import BASELINES
from sweet_keras.runs.score import TITLES
from sweet_keras.runs.summary import Summary


class Captioned(NamedTuple):
    """A figure with its name, title and caption."""

    name: str
    title: str
    caption: str
    figure: Figure


def comparison_figures(summary: Summary, trials: tuple[Trial, ...]) -> Iterator[Captioned]:
    """Gives the figures there is data for: accuracy, accuracy by cost, learning curves.

    Args:
        summary: Of one task.
        trials: Its fine-tunings, for the curves; may be empty.
    """
    random = "Dashed line: the better random start. " if {*BASELINES} & {*summary.methods} else ""
    with style("accuracy"):
        yield Captioned(
            "accuracy",
            f"{TITLES[summary.metric]} by size",
            "Large marks: mean over the seeds, with the standard deviation. Small circles: single "
            f"seeds. {random}All have the same labels, batches and steps; each method chose its "
            "learning rate on validation images.",
            accuracy_dots(summary),
        )
    if len(summary.averaged) > 1:
        with style("cost"):
            yield Captioned(
                "cost",
                f"{TITLES[summary.metric]} by cost",
                "Seconds of pre-training for all sizes that the average is taken over: one source "
                "for all of them, or with direct pre-training one for each.",
                accuracy_by_cost(summary),
            )
    if any(len(trial.curve_accuracy) > 1 for trial in trials):
        with style("learning"):
            yield Captioned(
                "learning",
                "Learning curves",
                f"{TITLES[summary.metric]} on validation images during fine-tuning, mean over the "
                "seeds.",
                learning_curves(trials),
            )
