"""Fine-tunings of one size with one learning rate, in one compiled model."""

import dataclasses
from collections.abc import Sequence

import keras
import numpy as np

from sweet_keras.data import Source
from sweet_keras.models.vit_backbone import ViTBackbone
from sweet_keras.runs.contest_config import ContestConfig
from sweet_keras.runs.learning_task import LearningTask
from sweet_keras.runs.measurements import Trial
from sweet_keras.runs.score import Score
from sweet_keras.runs.shared_model import SharedModel
from sweet_keras.runs.training import adamw


class Finetuner:
    """Fine-tunes networks of one size alike: same labels, order, last layer for a seed.

    Args:
        config: The recipe.
        task: What is learned.
        network: A network of the size; its weights are replaced.
        classes: Names of the classes.
        image_shape: (height, width, channels) of the images learned from.
        learning_rate: The highest one.
        learned: Images with labels; a few of the labels are used.
        followed: Images with labels, on which the curve is measured.
    """

    def __init__(
        self,
        config: ContestConfig,
        task: LearningTask,
        network: ViTBackbone,
        classes: tuple[str, ...],
        image_shape: tuple[int, int, int],
        learning_rate: float,
        learned: Source,
        followed: Source,
    ) -> None:
        """Builds and compiles."""
        self.config, self.task, self.learning_rate = config, task, learning_rate
        self.learned, self.followed = learned, followed
        self.size, self.image_shape = str(network.size), image_shape
        optimizer = adamw(learning_rate, config.finetune_steps, config.warmup, config.weight_decay)
        self.shared = SharedModel(task, network, classes, image_shape, optimizer)
        self.last: Trial | None = None  # whose network the model is now

    @property
    def model(self) -> keras.Model:
        """The model as it was left by the last fine-tuning."""
        return self.shared.model

    def warm_up(self) -> None:
        """One step and one measurement, so that no method pays for compilation in its seconds."""
        self.shared.fit(self._batches(0), steps=1, points=1, measure=self._follow)

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
            weights: The start, as `LearningTask.weights` gives it.
            seed: Decides labels, their order and the last layer.
            measured: Images with labels, on which the accuracy is measured at the end.
            initialization_seconds: What the start took to make, to be noted.

        Returns:
            All that was measured.
        """
        config = self.config
        self.shared.start(weights, seed)
        curve = self.shared.fit(
            self._batches(seed), config.finetune_steps, config.curve_points, self._follow
        )
        score = self._measure(self.model, measured)
        self.last = Trial(
            method=method,
            size=self.size,
            seed=seed,
            accuracy=score.overall,
            steps=config.finetune_steps,
            learning_rate=self.learning_rate,
            seconds=curve.seconds,
            initialization_seconds=initialization_seconds,
            parameters=self.model.count_params(),
            curve_steps=tuple(curve.steps),
            curve_loss=tuple(curve.losses),
            curve_accuracy=tuple(curve.accuracies),
            class_accuracy=score.by_class,
            more=score.more,
        )
        return self.last

    def measure_again(self, measured: Source) -> Trial:
        """Returns the last trial with the accuracy of its network on other images."""
        score = self._measure(self.model, measured)
        return dataclasses.replace(
            self.last, accuracy=score.overall, class_accuracy=score.by_class, more=score.more
        )

    def _batches(self, seed: int):
        """The same labels in the same order for every method."""
        config = self.config
        return self.task.batches(
            self.task.few(self.learned, config.labels, seed),
            config.finetune_batch_size,
            self.image_shape,
            augment=self.task.augmentation if config.augment else None,
            seed=seed,
        )

    def _follow(self, model: keras.Model) -> float:
        return self._measure(model, self.followed).overall

    def _measure(self, model: keras.Model, source: Source) -> Score:
        return self.task.measure(model, source, self.image_shape)
