"""All fine-tunings of one size, in one compiled classifier."""

import random
import time
from collections.abc import Callable, Iterator

import keras
import numpy as np

from sweet_keras.core.template import SweetTemplate
from sweet_keras.data import Source, pipeline
from sweet_keras.initialization.materialize import materialize, vit_like
from sweet_keras.models.vit_backbone import ViTBackbone
from sweet_keras.runs.accuracy import measure_accuracy
from sweet_keras.runs.few_labels import few_labels
from sweet_keras.runs.measurements import Trial
from sweet_keras.runs.quickstart_config import QuickstartConfig
from sweet_keras.runs.shared_classifier import SharedClassifier
from sweet_keras.runs.spectrum import backbone_kernels, spectra
from sweet_keras.runs.starting_point import adapt_options
from sweet_keras.runs.training import adamw

METHODS = ("xavier", "sweet_slice", "sweet_adapt")
_CURVE_IMAGES = 512


class Contest:
    """All fine-tunings of one size: every method with every seed, in one compiled classifier.

    Args:
        config: The recipe.
        template: What the networks are made from.
        size: Their size.
        source: Images with labels; a few of the labels are used.
        test: Images to measure the accuracy on.
        classes: Names of the classes.
    """

    def __init__(
        self,
        config: QuickstartConfig,
        template: SweetTemplate,
        size: str,
        source: Source,
        test: Source,
        classes: tuple[str, ...],
    ) -> None:
        """Makes the networks and compiles the classifier."""
        self.config, self.size = config, size
        self.source, self.test = source, test
        self.template = template.resize(size)
        self.shape = template.image_shape
        self.networks: dict[str, tuple[ViTBackbone, float]] = {}
        # The first network of a shape is slow to build on some backends: not the one that is timed.
        first = self._random(0)
        self._make("sweet_slice", lambda: materialize(template, size))
        options = adapt_options(
            source, self.shape, config.pretrain_batch_size, config.adapt_epochs, seed=0
        )
        self._make("sweet_adapt", lambda: materialize(template, size, **options))
        self.spectrum = [
            part
            for method, vit in (
                ("xavier", first),
                *((method, vit) for method, (vit, _) in self.networks.items()),
            )
            for part in spectra(backbone_kernels(vit), method, size)
        ]
        optimizer = adamw(
            config.finetune_learning_rate,
            config.finetune_steps,
            config.warmup,
            config.weight_decay,
        )
        self.classifier = SharedClassifier(first, len(classes), optimizer)
        self.curve_test = few_labels(test, min(_CURVE_IMAGES, len(test)))
        # Compiled here, so that no method pays for it in its seconds.
        self.classifier.fit(self._batches(0), steps=1, points=1, measure=self._measure)

    def trials(self, advance: Callable[[str], None]) -> Iterator[Trial]:
        """Fine-tunes every method with every seed."""
        for seed in range(self.config.seeds):
            for method in METHODS:
                trial = self._trial(method, seed)
                advance(f"{self.size} {method} seed {seed}: accuracy {trial.accuracy:.1%}")
                yield trial

    def _make(self, method: str, make: Callable[[], ViTBackbone]) -> None:
        began = time.perf_counter()
        vit = make()
        self.networks[method] = vit, time.perf_counter() - began

    def _random(self, seed: int) -> ViTBackbone:
        random.seed(seed)
        return vit_like(self.template)

    def _batches(self, seed: int):
        """The same labels in the same order for every method."""
        config = self.config
        return pipeline(
            few_labels(self.source, config.labels, seed),
            config.finetune_batch_size,
            image_shape=self.shape,
            labels=True,
            seed=seed,
        )

    def _measure(self, model: keras.Model) -> float:
        return measure_accuracy(model, self.curve_test, self.shape).overall

    def _weights(self, method: str, seed: int) -> tuple[list[np.ndarray], float]:
        if method == "xavier":
            return self._random(seed).get_weights(), 0.0
        vit, seconds = self.networks[method]
        return vit.get_weights(), seconds

    def _trial(self, method: str, seed: int) -> Trial:
        config = self.config
        weights, initialization_seconds = self._weights(method, seed)
        self.classifier.start(weights, seed)
        curve = self.classifier.fit(
            self._batches(seed), config.finetune_steps, config.curve_points, self._measure
        )
        accuracy = measure_accuracy(self.classifier.model, self.test, self.shape)
        return Trial(
            method=method,
            size=self.size,
            seed=seed,
            accuracy=accuracy.overall,
            steps=config.finetune_steps,
            learning_rate=config.finetune_learning_rate,
            seconds=curve.seconds,
            initialization_seconds=initialization_seconds,
            parameters=self.classifier.model.count_params(),
            curve_steps=tuple(curve.steps),
            curve_loss=tuple(curve.losses),
            curve_accuracy=tuple(curve.accuracies),
            class_accuracy=accuracy.by_class,
        )
