"""A few steps of training that fit a network of another size to images."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from sweet_keras.core.resize import resize_input_width
from sweet_keras.core.template import SweetTemplate
from sweet_keras.layers.sweet_template_vit import SweetTemplateViT
from sweet_keras.models.adam_steps import adam_steps
from sweet_keras.models.generated_vit import GeneratedViT
from sweet_keras.models.masked_autoencoder import MaskedAutoencoder
from sweet_keras.models.moves_together import MovesTogether
from sweet_keras.models.pixel_range import warn_unless_pixels
from sweet_keras.models.vit_backbone import ViTBackbone
from sweet_keras.models.warmup_cosine import WarmupCosine


def count_steps(
    data: Any, epochs: float, batch_size: int, steps: int | None = None
) -> tuple[int, int]:
    """Steps and images in each of a fit.

    Args:
        data: Images, a pair (images, labels), or a data set of batches.
        epochs: Passes over the images.
        batch_size: Images in a step, no more than there are.
        steps: Number of steps instead of `epochs`.

    Returns:
        Steps and batch size.

    Raises:
        ValueError: If the amount of data or steps is not positive.
    """
    images = data[0] if isinstance(data, tuple) else data
    arrays = hasattr(images, "shape")
    if not arrays and steps is None:
        raise ValueError("`steps` must be given with a data set. Received: steps=None")
    if steps is None and not epochs > 0:
        raise ValueError(f"`epochs` must be positive. Received: {epochs!r}")
    if steps is None:
        batch_size = min(batch_size, len(images))
        steps = max(1, round(epochs * len(images) / max(1, batch_size)))
    if steps < 1 or (arrays and not len(images)):
        raise ValueError(
            f"`data` must hold images and `steps` must be positive. Received: {steps} steps, "
            f"{len(images) if arrays else 'a data set'} images"
        )
    return steps, batch_size


def tokens_in_step(template: SweetTemplate, batch_size: int) -> int:
    """Tokens of whole images that go through a template's network in a step."""
    rows, columns = template.grid
    return batch_size * rows * columns


def fit_briefly(
    model: keras.Model,
    data: Any,
    steps: int,
    batch_size: int,
    learning_rate: float,
    *,
    rest_rate: float = 1.0,
    seed: int | None = None,
    jit_compile: bool | str = "auto",
    callbacks: list[keras.callbacks.Callback] | None = None,
    verbose: int | str = 0,
) -> None:
    """Trains what is trainable with Adam, scalers and the rest at rates of their own.

    Args:
        model: A built model with a loss of its own.
        data: Images, a pair (images, labels), or a data set of batches.
        steps: Number of steps.
        batch_size: Images in a step.
        learning_rate: The highest; it falls to 0 by a cosine, after a tenth of the steps of
            warm-up.
        rest_rate: Rate of everything but scalers, as a multiple of theirs.
        seed: Seed of shuffling.
        jit_compile: As in `keras.Model.compile`.
        callbacks: Keras callbacks.
        verbose: As in `keras.Model.fit`.
    """
    arrays = hasattr(data[0] if isinstance(data, tuple) else data, "shape")
    schedule = WarmupCosine(learning_rate, steps, warmup=0.1)
    model.compile(optimizer=_ScalerAdam(schedule, rest_rate=rest_rate), jit_compile=jit_compile)
    # Variables made within the first step would have TensorFlow trace it twice.
    model.optimizer.build(model.trainable_variables)
    model.fit(
        _batches(data, batch_size, seed) if arrays else data,
        steps_per_epoch=steps,
        epochs=1,
        shuffle=False,  # batches come shuffled
        callbacks=callbacks,
        verbose=verbose,
    )


class _ScalerAdam(MovesTogether, keras.optimizers.Adam):
    """Adam with a slower rate for everything but scalers."""

    def __init__(self, learning_rate, rest_rate: float):
        # The name Keras would make of the class is none that TensorFlow takes.
        super().__init__(learning_rate, name="scaler_adam")
        self.rest_rate = rest_rate

    def _update(self, gradients, variables, learning_rate):
        by_share = {}  # of the learning rate
        for gradient, variable in zip(gradients, variables, strict=True):
            index = self._get_variable_index(variable)
            gradient = ops.cast(gradient, variable.dtype)
            found = variable, gradient, self._momentums[index], self._velocities[index]
            # Not the end of the name: TensorFlow's own variables are called "input_scaler:0".
            share = 1.0 if "scaler" in variable.name else self.rest_rate
            by_share.setdefault(share, []).append(found)
        for share, those in by_share.items():
            rate = learning_rate * share
            adam_steps(those, rate, self.iterations, self.beta_1, self.beta_2, self.epsilon)


def autoencoder_like(
    source: MaskedAutoencoder,
    encoder: SweetTemplateViT | ViTBackbone | GeneratedViT,
    seed: int | None = None,
) -> MaskedAutoencoder:
    """A masked autoencoder around another encoder, its decoder the one of a trained one.

    Args:
        source: The trained one.
        encoder: Of any width: what the decoder reads is cut, or repeated, to it.
        seed: Of the masks.
    """
    mae = MaskedAutoencoder(
        encoder, mask_ratio=source.mask_ratio, decoder=source.decoder, seed=seed
    )
    mae.build()
    arrays = source.decoder_layer.arrays()
    reads = arrays["decoder/embed/kernel"]
    arrays["decoder/embed/kernel"] = resize_input_width(reads, 0, encoder.embed_dim)
    mae.decoder_layer.load_arrays(arrays)
    return mae


def _batches(data: Any, batch_size: int, seed: int | None) -> Iterator[tuple[np.ndarray, ...]]:
    """Endless batches of arrays, shuffled anew in each pass."""
    # Without a seed Python's generator decides, which is the same in all processes of a training.
    generator = np.random.default_rng(random.getrandbits(64) if seed is None else seed)
    parts = data if isinstance(data, tuple) else (data,)
    count = len(parts[0])
    queue = np.empty(0, int)
    while True:
        while len(queue) < batch_size:
            queue = np.concatenate([queue, generator.permutation(count)])
        batch = tuple(part[queue[:batch_size]] for part in parts)
        queue = queue[batch_size:]
        yield batch


def fit_generated(
    source: MaskedAutoencoder,
    network: GeneratedViT,
    images: Any,
    epochs: float,
    batch_size: int,
    learning_rate: float,
    steps: int | None = None,
    seed: int | None = None,
    train_decoder: bool = True,
) -> None:
    """Fits a network under a constraint as the encoder of a masked autoencoder.

    Args:
        source: A trained autoencoder, whose decoder is used.
        network: What is fitted.
        images: Images, or a data set of batches together with `steps`.
        epochs: See `count_steps`, as for `batch_size` and `steps`.
        batch_size: Images in a step.
        learning_rate: Highest rate of Adam.
        steps: Number of steps instead of `epochs`.
        seed: Seed of shuffling and masks.
        train_decoder: Whether the decoder is fitted as well.
    """
    steps, batch_size = count_steps(images, epochs, batch_size, steps)
    warn_unless_pixels(images)
    mae = autoencoder_like(source, network, seed)
    if not train_decoder:
        mae.decoder_layer.trainable = False
    fit_briefly(mae, images, steps, batch_size, learning_rate, seed=seed)
