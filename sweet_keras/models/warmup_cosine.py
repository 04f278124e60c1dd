"""The learning rate over a run: a linear rise, then half a cosine down to zero."""

import math

import keras


@keras.saving.register_keras_serializable("sweet_keras")
class WarmupCosine(keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly to `peak`, then falls to zero as half a cosine.

    Args:
        peak: the highest learning rate.
        steps: training steps in all; the rate is zero from there on.
        warmup: fraction of the steps, in [0, 1), over which the rate rises.
        parts: how many of what Keras counts are one step: the optimizer's
            `gradient_accumulation_steps`.

    Raises:
        ValueError: if `steps` or `parts` is not positive or `warmup` not in [0, 1).
    """

    def __init__(self, peak: float, steps: int, warmup: float = 0.0, parts: int = 1) -> None:
        """Checks and keeps the arguments."""
        if steps < 1:
            raise ValueError(f"`steps` must be a positive integer. Received: {steps!r}")
        if not 0 <= warmup < 1:
            raise ValueError(f"`warmup` must be in [0, 1). Received: {warmup!r}")
        if parts < 1:
            raise ValueError(f"`parts` must be a positive integer. Received: {parts!r}")
        self.peak = peak
        self.steps = steps
        self.warmup = warmup
        self.parts = parts

    def __call__(self, step):
        """Returns the learning rate at a step, counted from zero, or at a part of one."""
        step = keras.ops.cast(step, "float32")
        if self.parts > 1:
            step = keras.ops.floor(step / self.parts)
        rise = self.warmup * self.steps
        progress = keras.ops.clip((step - rise) / (self.steps - rise), 0.0, 1.0)
        rate = self.peak * 0.5 * (1.0 + keras.ops.cos(math.pi * progress))
        # Step 0 is the first update: it gets 1/rise of the peak rather than nothing.
        return rate * keras.ops.minimum(1.0, (step + 1.0) / max(rise, 1.0))

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        names = ("peak", "steps", "warmup", "parts")
        return {name: getattr(self, name) for name in names}
