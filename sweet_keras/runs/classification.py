"""Learning to tell classes of images apart."""

from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np

from sweet_keras.data import Source, open_source, pipeline
from sweet_keras.models.image_classifier import ImageClassifier
from sweet_keras.models.vit_backbone import ViTBackbone
from sweet_keras.runs.accuracy import class_names, measure_accuracy
from sweet_keras.runs.few_labels import few_labels
from sweet_keras.runs.learning_task import LearningTask, Progress
from sweet_keras.runs.score import Score


class Classification(LearningTask):
    """A class for each image.

    Args:
        dropout: Before the last layer.
    """

    name = "classify"
    augmentation = "classify"

    def __init__(self, dropout: float = 0.0) -> None:
        """Keeps the arguments."""
        self.dropout = dropout

    def open(self, spec: str, split: str, channels: int, on_error: str = "raise") -> Source:
        """Opens labelled images."""
        return open_source(spec, split, channels=channels, on_error=on_error)

    def classes(self, source: Source) -> tuple[str, ...]:
        """Names of the classes."""
        return class_names(source)

    def few(self, source: Source, count: int, seed: int) -> Source:
        """Draws images evenly over the classes."""
        return few_labels(source, count, seed)

    def model(
        self,
        backbone: ViTBackbone,
        classes: tuple[str, ...],
        image_shape: tuple[int, int, int],
        optimizer: keras.optimizers.Optimizer,
        jit: bool | None = None,
    ) -> ImageClassifier:
        """Puts a last layer on a network."""
        model = ImageClassifier(backbone, len(classes), dropout=self.dropout, class_names=classes)
        model.compile(optimizer=optimizer, jit_compile="auto" if jit is None else jit)
        return model

    def weights(self, vit: ViTBackbone, image_shape: tuple[int, int, int]) -> list[np.ndarray]:
        """The weights as they are."""
        return vit.get_weights()

    def start(self, model: ImageClassifier, weights: Sequence[np.ndarray], seed: int) -> None:
        """Puts weights into the backbone and draws the last layer."""
        model.backbone.set_weights(weights)
        kernel, bias = model.get_layer("logits").weights
        kernel.assign(keras.initializers.GlorotUniform(seed=seed)(kernel.shape))
        bias.assign(np.zeros(bias.shape, "float32"))

    def batches(
        self, source: Source, batch_size: int, image_shape: tuple[int, int, int], **options: Any
    ) -> Iterable:
        """Batches of images and classes; of several processes each reads its own rows."""
        own_rows = options.get("drop_remainder", True)
        return pipeline(
            source, batch_size, image_shape=image_shape, labels=True, own_rows=own_rows, **options
        )

    def measure(
        self,
        model: keras.Model,
        source: Source,
        image_shape: tuple[int, int, int],
        batch_size: int = 256,
        progress: Progress | None = None,
    ) -> Score:
        """Accuracy, in all and of each class."""
        return measure_accuracy(model, source, image_shape, batch_size, progress)
