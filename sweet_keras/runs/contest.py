"""All fine-tunings of one size, in one compiled classifier."""

import random
import time
from collections.abc import Callable, Iterator

import keras
import numpy as np

from sweet_keras.core.template import SweetTemplate
from sweet_keras.data import Source
from sweet_keras.initialization.materialize import materialize, vit_like
from sweet_keras.models.vit_backbone import ViTBackbone
from sweet_keras.runs.classification import Classification
from sweet_keras.runs.few_labels import few_labels
from sweet_keras.runs.finetuner import Finetuner
from sweet_keras.runs.measurements import Trial
from sweet_keras.runs.quickstart_config import QuickstartConfig
from sweet_keras.runs.spectrum import backbone_kernels, spectra
from sweet_keras.runs.starting_point import adapt_options

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
        self.config, self.size, self.test = config, size, test
        self.template = template.resize(size)
        self.networks: dict[str, tuple[ViTBackbone, float]] = {}
        # The first network of a shape is slow to build on some backends: not the one that is timed.
        first = self._random(0)
        self._make("sweet_slice", lambda: materialize(template, size))
        options = adapt_options(
            source, template.image_shape, config.adapt_batch_size, config.adapt_epochs, seed=0
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
        followed = few_labels(test, min(_CURVE_IMAGES, len(test)))
        self.finetuner = Finetuner(
            config,
            Classification(),
            first,
            classes,
            template.image_shape,
            config.finetune_learning_rate,
            source,
            followed,
        )
        self.finetuner.warm_up()

    @property
    def model(self) -> keras.Model:
        """The classifier of the last trial."""
        return self.finetuner.model

    def trials(self, advance: Callable[[str], None]) -> Iterator[Trial]:
        """Fine-tunes every method with every seed."""
        for seed in range(self.config.seeds):
            for method in METHODS:
                weights, seconds = self._weights(method, seed)
                trial = self.finetuner.trial(method, weights, seed, self.test, seconds)
                advance(f"{self.size} {method} seed {seed}: accuracy {trial.accuracy:.1%}")
                yield trial

    def _make(self, method: str, make: Callable[[], ViTBackbone]) -> None:
        began = time.perf_counter()
        vit = make()
        self.networks[method] = vit, time.perf_counter() - began

    def _random(self, seed: int) -> ViTBackbone:
        random.seed(seed)
        return vit_like(self.template)

    def _weights(self, method: str, seed: int) -> tuple[list[np.ndarray], float]:
        if method == "xavier":
            return self._random(seed).get_weights(), 0.0
        vit, seconds = self.networks[method]
        return vit.get_weights(), seconds
