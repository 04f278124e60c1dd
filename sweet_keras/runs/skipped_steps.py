"""Steps whose gradient is not finite: counted, answered with a lower rate, and limited."""

import dataclasses
import math
from collections.abc import Callable

import keras
import numpy as np

from sweet_keras import backends
from sweet_keras.distribution.distribute import devices
from sweet_keras.models.skipping_optimizer import SkippingOptimizer
from sweet_keras.runs.checkpoint import Position


class Diverged(RuntimeError):
    """The loss is no longer a number."""


class SkippedSteps:
    """Lets a model's training leave out steps whose gradient is not finite.

    The optimizer is wrapped until `close`, and losses that are not finite do not count in the means
    of an epoch while `training` is set, as it is during a step, not in a validation. The number of
    skipped steps is looked at every `EVERY` steps, since a look waits for the device: one in that
    time is put down to its batch, several to the rate, which is halved.

    A model in float16 has an optimizer that skips and rescales already, and is left as it is. On
    several devices of TensorFlow nothing is skipped: a loss that is not finite ends the epoch.

    Args:
        model: A compiled model with a built optimizer.
        limit: Skipped steps in all at which the training stops.
        say: Prints a line.
    """

    EVERY = 20

    def __init__(self, model: keras.Model, limit: int, say: Callable[[str], None]) -> None:
        """Wraps the optimizer."""
        self.model, self.limit, self.say = model, limit, say
        self.rate_factor, self.before = 1.0, 0
        self.training = False
        self.inner = model.optimizer
        self.active = _can_skip() and not isinstance(
            self.inner, keras.optimizers.LossScaleOptimizer
        )
        if self.active:
            model.optimizer = SkippingOptimizer(self.inner)
            model.optimizer.build(model.trainable_variables)
            model.make_train_function(force=True)
            for metric in model.metrics:
                if type(metric) is keras.metrics.Mean:
                    self._leave_out_what_is_not_finite(metric)

    def go_on_from(self, position: Position) -> None:
        """Goes on with the rate of an interrupted training."""
        self.before = position.skipped_before
        if position.rate_factor != 1.0:
            self._lower_rate(position.rate_factor)

    def note_in(self, position: Position) -> Position:
        """Returns a position with what must be known to go on."""
        return dataclasses.replace(
            position, rate_factor=self.rate_factor, skipped_before=self.before
        )

    def look(self, model: keras.Model, step: int) -> int:
        """Deals with steps that were skipped since the last look; waits for the device.

        Args:
            model: The model as `Callback.model` gives it, which brings back the state of JAX.
            step: Steps done in all.

        Returns:
            Steps skipped so far.

        Raises:
            Diverged: If there are too many, or the weights are broken.
        """
        if not self.active:
            return 0
        total = int(keras.ops.convert_to_numpy(model.optimizer.skipped))
        new, self.before = total - self.before, total
        if new <= 0:
            return total
        broken, largest = self._weights()
        if broken or total >= self.limit:
            raise Diverged(self._diagnosis(step, total, broken, largest))
        line = f"{new} of the steps up to {step} skipped: their gradients were not finite"
        if new > 1:
            self._lower_rate(0.5)
            line += f"; the learning rate is now {self.rate_factor:g} of what it was to be"
        self.say(line + ".")
        return total

    def close(self) -> None:
        """Gives the model its own optimizer back."""
        if self.active:
            self.model.optimizer = self.inner
            self.model.train_function = None

    def _lower_rate(self, factor: float) -> None:
        self.rate_factor *= factor
        given = self.inner.get_config()["learning_rate"]
        if isinstance(given, dict):
            schedule = keras.saving.deserialize_keras_object(given)
            schedule.peak *= factor
            self.inner.learning_rate = schedule
            # The schedule's numbers are part of the compiled step.
            self.model.make_train_function(force=True)
        else:
            self.inner.learning_rate = given * factor

    def _weights(self) -> tuple[list[str], str]:
        """Paths of the weights that are not finite, and the one of the largest norm."""
        broken, largest = [], (0.0, "")
        for variable in self.model.trainable_variables:
            values = np.asarray(keras.ops.convert_to_numpy(variable.value)).astype("float64")
            norm = float(np.linalg.norm(values))
            if not math.isfinite(norm):
                broken.append(variable.path)
            else:
                largest = max(largest, (norm, variable.path))
        return broken, f"{largest[0]:.4g} in {largest[1]}"

    def _diagnosis(self, step: int, total: int, broken: list[str], largest: str) -> str:
        rate = float(keras.ops.convert_to_numpy(self.inner.learning_rate))
        weights = "All weights are finite"
        if broken:
            weights = f"{len(broken)} weights are not finite, the first {broken[0]}"
        return (
            f"loss or gradients are not finite: {total} steps skipped up to step {step}, where the "
            f"learning rate is {rate:.3g}. {weights}; the largest norm is {largest}. Try a lower "
            "--learning-rate, a longer --warmup, or --dtype float32, and look at the images. "
            "Received: the run is kept as it was last saved"
        )

    def _leave_out_what_is_not_finite(self, metric: keras.metrics.Mean) -> None:
        update = metric.update_state

        # A compiled step reads `training` once, when it is traced.
        def update_state(values, sample_weight=None):
            if not self.training:
                return update(values, sample_weight=sample_weight)
            values = keras.ops.convert_to_tensor(values, dtype=metric.dtype)
            finite = keras.ops.isfinite(values)
            weight = keras.ops.cast(1.0 if sample_weight is None else sample_weight, metric.dtype)
            return update(
                keras.ops.where(finite, values, keras.ops.zeros_like(values)),
                sample_weight=weight * keras.ops.cast(finite, metric.dtype),
            )

        metric.update_state = update_state


def _can_skip() -> bool:
    """Devices that update each variable where it lies cannot do so within a branch of each."""
    return devices() == 1 or backends.current().update.TOGETHER
