"""Runs a generator's samplers, each compiled once."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

DTYPES = ("uint8", "float32")


class Sampling:
    """Keeps what was compiled for each sampler and number of steps.

    Not a layer: a model that a layer refers to would be part of it.

    Args:
        generator: An `ImageGenerator`.
    """

    def __init__(self, generator: Any):
        self._generator = generator
        self._compiled: dict[tuple, keras.Model] = {}

    def __call__(
        self,
        noise: np.ndarray,
        labels: np.ndarray,
        steps: int,
        guidance: float,
        sampler: str,
        batch_size: int,
        dtype: str,
    ) -> np.ndarray:
        """See `ImageGenerator.generate`."""
        key = (sampler, steps, guidance != 1.0)
        if key not in self._compiled:
            self._compiled[key] = _SampledGenerator(self._generator, *key)
        count = len(labels)
        batch_size = min(batch_size, count)
        # Whole batches only: a smaller last one would be compiled by itself.
        padding = -count % batch_size
        inputs = {
            "noise": np.concatenate([noise, noise[:1].repeat(padding, axis=0)]),
            "labels": np.concatenate([labels, labels[:1].repeat(padding)]).astype("int32"),
            "guidance": np.full(count + padding, guidance, "float32"),
        }
        model = self._compiled[key]
        images = model.predict(inputs, batch_size=batch_size, verbose=0)[:count]
        return np.clip(np.rint(images), 0, 255).astype("uint8") if dtype == "uint8" else images


class _SampledGenerator(keras.Model):
    """A model from noise and labels to pixels: `predict` compiles it."""

    def __init__(self, generator: Any, sampler: str, steps: int, guided: bool):
        super().__init__(name="sampled_generator")  # no private name, for TensorFlow's sake
        self.generator = generator
        self.sampler = sampler
        self.steps = steps
        self.guided = guided
        self.built = True

    def call(self, inputs):
        generator = self.generator
        patches = generator.backbone.patches
        labels = inputs["labels"]
        weight = inputs["guidance"][:, None, None]

        def field(x, time):
            if not self.guided:
                return generator.denoise(x, _filled(labels, time), labels, training=False)
            both = ops.concatenate([labels, ops.full_like(labels, generator.classes)])
            predicted = generator.denoise(
                ops.concatenate([x, x]), _filled(both, time), both, training=False
            )
            count = ops.shape(labels)[0]
            labelled, free = predicted[:count], predicted[count:]
            return free + weight * (labelled - free)

        sample = generator.noise_path.samplers[self.sampler]
        latents = patches.unpatchify(sample(field, patches.cut(inputs["noise"]), self.steps))
        return latents if generator.decoder is None else run_frozen(generator.decoder, latents)


def run_frozen(function: Any, inputs: Any) -> Any:
    """Calls an encoder or decoder: a Keras model as in inference, whatever goes on around it."""
    if isinstance(function, keras.Layer):
        return function(inputs, training=False)
    return function(inputs)


def _filled(labels, time):
    """(B,) floats of one value."""
    return ops.zeros_like(labels, dtype="float32") + time


def check_sampling(
    generator: Any, labels: np.ndarray, steps: Any, sampler: str, noise: Any, dtype: str
) -> None:
    """Raises ValueError unless images can be made so; see `ImageGenerator.generate`."""
    classes, shape = generator.classes, generator.backbone.image_shape
    whole = labels.ndim == 1 and labels.dtype.kind in "iu" and labels.size
    if not whole or labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"`labels` must be a list of integers from 0 to {classes - 1}. Received: {labels!r}"
        )
    if type(steps) is not int or steps < 1:
        raise ValueError(f"`steps` must be a positive integer. Received: {steps!r}")
    samplers = generator.noise_path.samplers
    if sampler not in samplers:
        raise ValueError(
            f"`sampler` must be one of {', '.join(samplers)} for the objective "
            f"{generator.objective!r}. Received: {sampler!r}"
        )
    if noise is not None and np.shape(noise) != (len(labels), *shape):
        raise ValueError(
            f"`noise` must have the shape {(len(labels), *shape)}. Received: {np.shape(noise)}"
        )
    if dtype not in DTYPES:
        raise ValueError(f"`dtype` must be one of {', '.join(DTYPES)}. Received: {dtype!r}")
