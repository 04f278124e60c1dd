"""Fine-tunings of one size with one learning rate, in one compiled classifier."""

import dataclasses
from collections.abc import Sequence

import keras
import numpy as np

from sweet_keras.data import Source, pipeline
from sweet_keras.models.vit_backbone import ViTBackbone
from sweet_keras.runs.accuracy import measure_accuracy
from sweet_keras.runs.contest_config import ContestConfig
from sweet_keras.runs.few_labels import few_labels
from sweet_keras.runs.measurements import Trial
from sweet_keras.runs.shared_classifier import SharedClassifier
from sweet_keras.runs.training import adamw


class Finetuner:
    """Fine-tunes networks of one size alike: same labels, order, last layer for a seed.

    Args:
        config: The recipe.
        network: A network of the size; its weights are replaced.
        classes: Number of classes.
        learning_rate: The highest one.
        learned: Images with labels; a few of the labels are used.
        followed: Images with labels, on which the curve is measured.
    """

    def __init__(
        self,
        config: ContestConfig,
        network: ViTBackbone,
        classes: int,
        learning_rate: float,
        learned: Source,
        followed: Source,
    ) -> None:
        """Builds and compiles."""
        self.config, self.learning_rate = config, learning_rate
        self.learned, self.followed = learned, followed
        self.size, self.image_shape = str(network.size), tuple(network.image_shape)
        optimizer = adamw(learning_rate, config.finetune_steps, config.warmup, config.weight_decay)
        self.classifier = SharedClassifier(network, classes, optimizer)
        self.last: Trial | None = None  # whose network the classifier is now

    @property
    def model(self) -> keras.Model:
        """The classifier as it was left by the last fine-tuning."""
        return self.classifier.model

    def warm_up(self) -> None:
        """One step and one measurement, so that no method pays for compilation in its seconds."""
        self.classifier.fit(self._batches(0), steps=1, points=1, measure=self._follow)

    def trial(
        self,
        method: str,
        weights: Sequence[np.ndarray],
        seed: int,
        measured: Source,
        initialization_seconds: float = 0.0,
    ) -> Trial:
        """Fine-tunes once.

        Args:
            method: What the start is called.
            weights: The start, as `ViTBackbone.get_weights` gives it.
            seed: Decides labels, their order and the last layer.
            measured: Images with labels, on which the accuracy is measured at the end.
            initialization_seconds: What the start took to make, to be noted.

        Returns:
            All that was measured.
        """
        config = self.config
        self.classifier.start(weights, seed)
        curve = self.classifier.fit(
            self._batches(seed), config.finetune_steps, config.curve_points, self._follow
        )
        accuracy = measure_accuracy(self.model, measured, self.image_shape)
        self.last = Trial(
            method=method,
            size=self.size,
            seed=seed,
            accuracy=accuracy.overall,
            steps=config.finetune_steps,
            learning_rate=self.learning_rate,
            seconds=curve.seconds,
            initialization_seconds=initialization_seconds,
            parameters=self.model.count_params(),
            curve_steps=tuple(curve.steps),
            curve_loss=tuple(curve.losses),
            curve_accuracy=tuple(curve.accuracies),
            class_accuracy=accuracy.by_class,
        )
        return self.last

    def measure_again(self, measured: Source) -> Trial:
        """Returns the last trial with the accuracy of its network on other images."""
        accuracy = measure_accuracy(self.model, measured, self.image_shape)
        return dataclasses.replace(
            self.last, accuracy=accuracy.overall, class_accuracy=accuracy.by_class
        )

    def _batches(self, seed: int):
        """The same labels in the same order for every method."""
        config = self.config
        return pipeline(
            few_labels(self.learned, config.labels, seed),
            config.finetune_batch_size,
            image_shape=self.image_shape,
            augment="classify" if config.augment else None,
            labels=True,
            seed=seed,
        )

    def _follow(self, model: keras.Model) -> float:
        return measure_accuracy(model, self.followed, self.image_shape).overall
