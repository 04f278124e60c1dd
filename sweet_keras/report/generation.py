"""What a generator is worth, in words."""

from sweet_keras.report.frechet_by_step import GeneratorCurve
from sweet_keras.report.palette import text_of
from sweet_keras.runs.measurements import Generation
from sweet_keras.runs.results import Results

# What a generator predicts, by its objective.
PREDICTED = {"flow": "velocity", "ddpm": "noise"}
LOSSES = {
    objective: f"Mean squared error of the predicted {predicted}, pixels normalised."
    for objective, predicted in PREDICTED.items()
}


def generation_headline(results: Results) -> tuple[str, list[str]]:
    """Says what a training of a generator came to.

    Args:
        results: With a `generation`.

    Returns:
        One sentence, and more that qualify it.
    """
    made, task = results.generation, results.task
    guided = "without guidance" if made.guidance == 1 else f"with guidance {made.guidance:g}"
    how = (
        f"Started: {text_of(made.method)}. {made.steps:,} steps on {task.train_labels:,} images. "
        f"Images are made by {made.sample_steps} steps of {made.sampler}, {guided}."
    )
    if made.frechet is None:
        title = f"{made.size} learned to generate images of {len(task.classes)} classes"
        return title, [how, "Nothing was measured: that takes a --classifier."]
    title = (
        f"{made.size}: images at a Fréchet distance of {made.frechet:.3g} from the test images, "
        f"{made.label_agreement:.1%} recognised as the class asked for"
    )
    return title, [
        how,
        f"Precision {made.precision:.3f}, recall {made.recall:.3f}, of {made.images:,} images "
        f"beside {task.test_images:,} test images.",
        _features(made),
    ]


def frechet_caption(results: Results) -> str:
    """Says what the Fréchet distance is one of."""
    made = results.generation
    return (
        f"Between {made.images:,} generated and {results.task.test_images:,} test images, on a "
        f"logarithmic axis. {_features(made)}"
    )


def curves_of(made: Generation) -> list[GeneratorCurve]:
    """Returns what `frechet_by_step` draws of one generator."""
    steps, distances = made.curve_steps, made.curve_frechet
    return [GeneratorCurve(made.method, made.size, made.seed, steps, distances)]


def _features(made: Generation) -> str:
    return (
        f"Features are those of {made.classifier}, which gets {made.accuracy:.1%} of the test "
        "images right: distances in other features, or of other numbers of images, do not compare."
    )
