"""What networks are fine-tuned for, behind one interface."""

import abc
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import keras
import numpy as np

from sweet_keras.data import Source
from sweet_keras.models.vit_backbone import ViTBackbone
from sweet_keras.runs.score import Score

Progress = Callable[[int, int], None]


class LearningTask(abc.ABC):
    """How labelled images are opened, learned from, and measured on.

    Attributes:
        name: `"classify"`, `"detect"` or `"segment"`.
        augmentation: How training images are varied, for `augment` of `batches`.
    """

    name: ClassVar[str]
    augmentation: ClassVar[str]

    @abc.abstractmethod
    def open(self, spec: str, split: str, channels: int, on_error: str = "raise") -> Source:
        """Opens labelled images."""

    @abc.abstractmethod
    def classes(self, source: Source) -> tuple[str, ...]:
        """Names of what a network tells apart."""

    @abc.abstractmethod
    def few(self, source: Source, count: int, seed: int) -> Source:
        """Draws labelled images to learn from."""

    @abc.abstractmethod
    def model(
        self,
        backbone: ViTBackbone,
        classes: tuple[str, ...],
        image_shape: tuple[int, int, int],
        optimizer: keras.optimizers.Optimizer,
        jit: bool | None = None,
    ) -> keras.Model:
        """Puts what the task needs on a network, and compiles."""

    @abc.abstractmethod
    def weights(self, vit: ViTBackbone, image_shape: tuple[int, int, int]) -> list[np.ndarray]:
        """What the network within a model is started with, from one that may take other images."""

    @abc.abstractmethod
    def start(self, model: keras.Model, weights: Sequence[np.ndarray], seed: int) -> None:
        """Puts weights into the network within a model, and draws all else anew.

        Args:
            model: Made by `model`.
            weights: See `weights`.
            seed: Decides what is drawn.
        """

    @abc.abstractmethod
    def batches(
        self, source: Source, batch_size: int, image_shape: tuple[int, int, int], **options: Any
    ) -> Iterable:
        """Batches to train on; options are those of `sweet_keras.data.pipeline`."""

    @abc.abstractmethod
    def measure(
        self,
        model: keras.Model,
        source: Source,
        image_shape: tuple[int, int, int],
        batch_size: int,
        progress: Progress | None = None,
    ) -> Score:
        """Compares what a model says of images with their labels."""
