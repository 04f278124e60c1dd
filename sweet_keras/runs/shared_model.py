"""One compiled model for all networks of a size.

Compiling takes longer than a short fine-tuning, so methods and seeds take turns in one model:
weights are put in, the optimizer is set back, and the same compiled step runs again.
"""

import random
import time
from collections.abc import Callable, Iterable, Sequence

import keras
import numpy as np

from sweet_keras.models.vit_backbone import ViTBackbone
from sweet_keras.runs.learning_task import LearningTask


class SharedModel:
    """A model for a task that can be started again and again from other weights.

    Args:
        task: What is learned.
        backbone: A network of the size; its weights are replaced by each `start`.
        classes: Names of the classes.
        image_shape: (height, width, channels) of the images learned from.
        optimizer: Its state is set back by each `start`.
    """

    def __init__(
        self,
        task: LearningTask,
        backbone: ViTBackbone,
        classes: tuple[str, ...],
        image_shape: tuple[int, int, int],
        optimizer: keras.optimizers.Optimizer,
    ) -> None:
        """Builds and compiles."""
        self.task = task
        state = random.getstate()
        # The same first values in every process that works on a comparison.
        random.seed(0)
        self.model = task.model(backbone, classes, image_shape, optimizer)
        random.setstate(state)
        optimizer.build(self.model.trainable_variables)
        self._at_start = [
            (variable, keras.ops.convert_to_numpy(variable).copy())
            for variable in optimizer.variables
        ]

    def start(self, weights: Sequence[np.ndarray], seed: int) -> None:
        """Puts weights into the network, draws what stands on it, and forgets all training.

        Args:
            weights: As `LearningTask.weights` gives them.
            seed: Decides what is drawn: the same for every method.
        """
        self.task.start(self.model, weights, seed)
        for variable, value in self._at_start:
            variable.assign(value)

    def fit(
        self,
        batches: Iterable,
        steps: int,
        points: int,
        measure: Callable[[keras.Model], float] | None = None,
    ) -> "LearningCurve":
        """Trains from where it stands.

        Args:
            batches: Endless batches of (images, labels).
            steps: Training steps.
            points: Times the curve is measured; must divide `steps`.
            measure: Gives the accuracy of the model.

        Returns:
            The learning curve.
        """
        curve = LearningCurve(steps // points, measure)
        self.model.fit(
            batches,
            epochs=points,
            steps_per_epoch=steps // points,
            shuffle=False,
            verbose=0,
            callbacks=[curve],
        )
        return curve


class LearningCurve(keras.callbacks.Callback):
    """Measures a model every so many steps, and the seconds of training between.

    Args:
        steps_per_point: Training steps between measurements, one epoch of `fit`.
        measure: Gives the accuracy of the model.

    Attributes:
        steps: Steps at which it was measured.
        losses: Mean training loss since the measurement before.
        accuracies: What `measure` gave.
        seconds: Training time, measurements left out.
    """

    def __init__(
        self, steps_per_point: int, measure: Callable[[keras.Model], float] | None
    ) -> None:
        """Keeps the arguments."""
        super().__init__()
        self.steps_per_point = steps_per_point
        self.measure = measure
        self.steps: list[int] = []
        self.losses: list[float] = []
        self.accuracies: list[float] = []
        self.seconds = 0.0
        self._began = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Starts the clock."""
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Stops the clock and measures."""
        self.seconds += time.perf_counter() - self._began
        self.steps.append((epoch + 1) * self.steps_per_point)
        self.losses.append(float(logs["loss"]))
        if self.measure is not None:
            self.accuracies.append(self.measure(self.model))
