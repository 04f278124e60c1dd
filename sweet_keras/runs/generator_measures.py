"""What generated images are worth beside test images, in a classifier's features."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable
from typing import Self

import keras
import numpy as np
from rich.console import Console

from sweet_keras.data import Source, pipeline
from sweet_keras.evaluation.frechet_distance import frechet_distance
from sweet_keras.evaluation.image_features import classifier_features, label_agreement
from sweet_keras.evaluation.precision_recall import precision_recall
from sweet_keras.models.image_classifier import ImageClassifier
from sweet_keras.models.image_generator import ImageGenerator
from sweet_keras.models.take_average import take_average
from sweet_keras.runs.accuracy import class_names, measure_accuracy
from sweet_keras.runs.generation_config import LEAST_IMAGES, SamplingConfig
from sweet_keras.runs.progress import batches_bar
from sweet_keras.runs.starting_point import load_model

_BATCH = 250  # of images that are looked at


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measures:
    """What was measured of generated images.

    Attributes:
        frechet: Fréchet distance between features of the generated and of the test images.
        precision: Share of the generated images among the test images.
        recall: Share of the test images among the generated ones.
        label_agreement: Share that the classifier puts into the class that was asked for.
    """

    frechet: float
    precision: float
    recall: float
    label_agreement: float

    @classmethod
    def of_features(cls, real: np.ndarray, made: np.ndarray, label_agreement: float) -> Self:
        """Compares features (n, d) of test images and (m, d) of generated ones."""
        precision, recall = precision_recall(real, made)
        return cls(
            frechet=frechet_distance(real, made),
            precision=precision,
            recall=recall,
            label_agreement=label_agreement,
        )


class GeneratorMeasures:
    """Compares a generator's images with test images; these are looked at once.

    Args:
        config: The options; `classifier` must be given.
        test: Labelled images.
        image_shape: (height, width, channels) of the generated images.
        seed: Of the noise.
        console: Where progress is shown.

    Attributes:
        accuracy: Share of the test images that the classifier gets right.

    Raises:
        ValueError: If the file is no classifier of these images and classes, or there are too few.
    """

    def __init__(
        self,
        config: SamplingConfig,
        test: Source,
        image_shape: tuple[int, int, int],
        seed: int,
        console: Console,
    ) -> None:
        """Reads the classifier and looks at the test images."""
        self.config, self.seed = config, seed
        self.classifier = _classifier(config, test, image_shape)
        self._extract = classifier_features(self.classifier, _BATCH)
        if len(test) < LEAST_IMAGES:
            raise ValueError(
                f"--data must have at least {LEAST_IMAGES} test images. Received: {len(test)}"
            )
        with batches_bar(console, "looking at the test images") as show:
            self.accuracy = measure_accuracy(
                self.classifier, test, image_shape, _BATCH, show
            ).overall
        once = {"shuffle": False, "repeat": False, "drop_remainder": False}
        batches = pipeline(test, _BATCH, image_shape=image_shape, **once)
        found = [self._extract(_filled(batch))[: len(batch)] for batch in batches]
        self._real = np.concatenate(found)

    def __call__(self, generator: ImageGenerator) -> Measures:
        """Makes images and measures them."""
        labels = np.arange(self.config.samples) % generator.classes
        images = generator.generate(labels, seed=self.seed, **self.config.sampling())
        agreement = label_agreement(self.classifier, images, labels, _BATCH)
        return Measures.of_features(self._real, self._extract(images), agreement)


class MeasureGenerator(keras.callbacks.Callback):
    """Measures a generator with its averaged weights after some epochs, into the log.

    Of all callbacks it must come before those that write the log. The seconds it takes are logged
    as well, so that they can be told from those of the training.

    Args:
        measures: How.
        epochs: After which epochs, counted from one.
    """

    def __init__(self, measures: GeneratorMeasures, epochs: Iterable[int]) -> None:
        """Keeps the arguments."""
        super().__init__()
        self.measures, self.epochs = measures, frozenset(epochs)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Measures, and leaves the weights as they were."""
        if epoch + 1 not in self.epochs:
            return
        began = time.perf_counter()
        variables = self.model.trainable_variables
        kept = [keras.ops.convert_to_numpy(variable).copy() for variable in variables]
        take_average(self.model)
        logs |= dataclasses.asdict(self.measures(self.model))
        for variable, value in zip(variables, kept, strict=True):
            variable.assign(value)
        logs["measuring"] = time.perf_counter() - began


def _classifier(
    config: SamplingConfig, test: Source, image_shape: tuple[int, int, int]
) -> ImageClassifier:
    model = load_model(config.classifier)
    expected = f"a network of 'sweet finetune' for images {image_shape} and the classes of --data"
    fits = isinstance(model, ImageClassifier)
    config.require("classifier", fits, expected)
    shape, classes = tuple(model.backbone.image_shape), class_names(test)
    if shape != tuple(image_shape):
        raise ValueError(f"--classifier must be {expected}. Received: one for images {shape}")
    known = model.class_names
    named = known is None or test.classes is None or tuple(known) == classes
    if model.classes != len(classes) or not named:
        raise ValueError(
            f"--classifier must be {expected}, {', '.join(classes)}. "
            f"Received: one for {', '.join(known) if known else f'{model.classes} classes'}"
        )
    return model


def _filled(images: np.ndarray) -> np.ndarray:
    """Fills up the last batch, so that one shape is compiled."""
    return np.concatenate([images, np.repeat(images[-1:], _BATCH - len(images), axis=0)])
