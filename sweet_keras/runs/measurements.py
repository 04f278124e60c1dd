"""What is measured in a run: the parts of `results.json`.

Each number says what it is: accuracies are fractions of the test images, times are seconds, curves
are indexed by the number of the training step.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any


def require(valid: bool, name: str, expected: str, received: Any) -> None:
    """Raises a `ValueError` about the field `name` unless `valid`."""
    if not valid:
        raise ValueError(f"`{name}` must be {expected}. Received: {received}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """What was learned, and on what it was tested.

    Attributes:
        data: the data, as it was named on the command line.
        classes: names of the classes; empty without labels.
        train_images: images learned from without labels, or 0.
        train_labels: labels learned from, or 0.
        test_images: images the accuracies are measured on, or 0.
        metric: what `Trial.accuracy` is: `"accuracy"`, `"AP"` of detectors, or `"mIoU"` of
            segmenters.
    """

    data: str
    classes: tuple[str, ...] = ()
    train_images: int = 0
    train_labels: int = 0
    test_images: int = 0
    metric: str = "accuracy"

    def check(self) -> None:
        """Checks the counts."""
        for name in ("train_images", "train_labels", "test_images"):
            require(getattr(self, name) >= 0, name, "at least 0", getattr(self, name))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pretraining:
    """How the template was made and what it is.

    Attributes:
        size: size it was trained at, such as `"L12H12"`.
        head_dim: channels of one head.
        ranks: r1, r2, r3 of the Tucker core.
        seconds: time the training took, compilation included.
        steps: training steps.
        batch_size: images in each step.
        loss: mean loss of the last epoch.
        template_parameters: numbers in the file.
        dense_parameters: numbers in the plain network of the same size.
        objective: `"reconstruct"`, or what a generator learned, `"flow"` or `"ddpm"`.
    """

    size: str
    head_dim: int
    ranks: tuple[int, ...]
    seconds: float
    steps: int
    batch_size: int
    loss: float | None
    template_parameters: int
    dense_parameters: int
    objective: str = "reconstruct"

    def check(self) -> None:
        """Checks the numbers."""
        require(self.seconds >= 0, "seconds", "at least 0", self.seconds)
        require(self.steps >= 0, "steps", "at least 0", self.steps)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trial:
    """One network of one size, started in one way, fine-tuned with one seed.

    Attributes:
        method: how it was started: a name of `sweet_keras.runs.method_names`, or another.
        size: its size, such as `"L6H6"`.
        seed: of the fine-tuning, and of a random start.
        accuracy: fraction of the test images that is right; of other tasks `Task.metric`.
        steps: training steps.
        learning_rate: the highest one.
        seconds: time of the fine-tuning, compilation left out where it was done before.
        initialization_seconds: time it took to make the network from the template.
        parameters: numbers in the fine-tuned network.
        curve_steps: steps at which the curves below were measured.
        curve_loss: mean training loss since the last such step.
        curve_accuracy: fraction of the validation or test images that was right then.
        class_accuracy: accuracy of each class, in the order of `Task.classes`; None where the
            test images have none of that class.
        more: further measures by name, such as AP50; None where there is nothing to measure.
    """

    method: str
    size: str
    seed: int
    accuracy: float
    steps: int
    learning_rate: float
    seconds: float
    initialization_seconds: float = 0.0
    parameters: int = 0
    curve_steps: tuple[int, ...] = ()
    curve_loss: tuple[float | None, ...] = ()
    curve_accuracy: tuple[float, ...] = ()
    class_accuracy: tuple[float | None, ...] = ()
    more: Mapping[str, float | None] = dataclasses.field(default_factory=dict)

    def check(self) -> None:
        """Checks that accuracies are fractions and that the curves fit together."""
        accuracies = (
            self.accuracy,
            *self.curve_accuracy,
            *self.class_accuracy,
            *self.more.values(),
        )
        for value in accuracies:
            if value is not None:
                require(0 <= value <= 1, "accuracy", "a fraction in [0, 1]", value)
        for name in ("curve_loss", "curve_accuracy"):
            length = len(getattr(self, name))
            expected = len(self.curve_steps)
            require(length in (0, expected), name, f"{expected} long, or empty", length)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Generation:
    """One generator, and what its images are worth beside the test images.

    Attributes:
        method: how its network was started, as in `Trial`.
        size: its size, such as `"L6H6"`.
        seed: of the training and of the noise that images are made of.
        objective: `"flow"` or `"ddpm"`.
        steps: training steps.
        learning_rate: the highest one.
        seconds: time of the training, measuring left out.
        initialization_seconds: time it took to make the generator it started as.
        parameters: numbers in it.
        sampler: by which images are made.
        sample_steps: its steps.
        guidance: of classes.
        classifier: file of the network in whose features images are compared; None if nothing was
            measured.
        accuracy: fraction of the test images that the classifier gets right.
        images: images that were made and measured.
        frechet: Fréchet distance between the features of these and of the test images.
        precision: fraction of these that lie among the test images.
        recall: fraction of the test images that lie among these.
        label_agreement: fraction of these that the classifier puts into the class asked for.
        curve_steps: steps at which `curve_frechet` was measured.
        curve_frechet: Fréchet distances.
    """

    method: str
    size: str
    seed: int
    objective: str
    steps: int
    learning_rate: float
    seconds: float
    initialization_seconds: float
    parameters: int
    sampler: str
    sample_steps: int
    guidance: float
    classifier: str | None = None
    accuracy: float | None = None
    images: int = 0
    frechet: float | None = None
    precision: float | None = None
    recall: float | None = None
    label_agreement: float | None = None
    curve_steps: tuple[int, ...] = ()
    curve_frechet: tuple[float, ...] = ()

    def check(self) -> None:
        """Checks the ranges, and that the curve fits together."""
        for name in ("accuracy", "precision", "recall", "label_agreement"):
            value = getattr(self, name)
            require(value is None or 0 <= value <= 1, name, "a fraction in [0, 1]", value)
        distances = (*self.curve_frechet, *(() if self.frechet is None else (self.frechet,)))
        require(all(d >= 0 for d in distances), "frechet", "at least 0", distances)
        length, expected = len(self.curve_frechet), len(self.curve_steps)
        require(length == expected, "curve_frechet", f"{expected} long", length)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spectrum:
    """Singular values of the kernels of one kind in one network, averaged over the layers.

    Attributes:
        method: how the network was started.
        size: its size.
        kind: `q`, `k`, `v`, `o`, `in` or `out`.
        values: largest first; of long spectra an even selection with both ends.
    """

    method: str
    size: str
    kind: str
    values: tuple[float, ...]

    def check(self) -> None:
        """Checks that there are values, largest first."""
        require(bool(self.values), "values", "not empty", self.values)
        ordered = all(a >= b >= 0 for a, b in zip(self.values, self.values[1:], strict=False))
        require(ordered, "values", "falling and not negative", self.values)
