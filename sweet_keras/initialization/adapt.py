"""Fitting the scalers of a target size, the template frozen."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np

from sweet_keras.core.template import SweetTemplate
from sweet_keras.layers.sweet_template_vit import SweetTemplateViT
from sweet_keras.models.image_classifier import ImageClassifier
from sweet_keras.models.masked_autoencoder import MaskedAutoencoder
from sweet_keras.models.pixel_range import warn_unless_pixels
from sweet_keras.models.warmup_cosine import WarmupCosine


def adapt(
    template: SweetTemplate,
    data: Any,
    *,
    epochs: float = 0.16,
    batch_size: int = 256,
    learning_rate: float = 1e-3,
    steps: int | None = None,
    classes: int | None = None,
    mask_ratio: float = 0.75,
    seed: int | None = None,
    dtype: Any = None,
    jit_compile: bool | str = "auto",
    callbacks: list[keras.callbacks.Callback] | None = None,
    verbose: int | str = 0,
) -> SweetTemplate:
    """Fits the scalers and everything outside W; G stays as it is.

    Args:
        template: Already of the target size: see `SweetTemplate.resize`.
        data: Images (n, height, width, channels), fitted by the MAE loss; a pair (images, labels)
            with integer labels, fitted by classification; or a data set that yields batches of
            one of them, together with `steps` and, if there are labels, `classes`.
        epochs: Passes over the images; the paper's is 0.16.
        batch_size: Images in a step.
        learning_rate: Highest rate of AdamW; it falls to 0 by a cosine, after a tenth of the steps
            of warm-up.
        steps: Number of steps instead of `epochs`.
        classes: Number of classes, if there are labels; of arrays the largest label says it.
        mask_ratio: Share of the patches that is masked, for the MAE loss.
        seed: Seed of shuffling and masks.
        dtype: Data type policy.
        jit_compile: As in `keras.Model.compile`.
        callbacks: Keras callbacks.
        verbose: As in `keras.Model.fit`.

    Returns:
        A template of the same size with the same core.

    Raises:
        ValueError: If the amount of data or steps is not positive.
    """
    images = data[0] if isinstance(data, tuple) else data
    labelled = isinstance(data, tuple) or classes is not None
    arrays = hasattr(images, "shape")
    if not arrays and steps is None:
        raise ValueError("`steps` must be given with a data set. Received: steps=None")
    if steps is None:
        batch_size = min(batch_size, len(images))
        steps = max(1, round(epochs * len(images) / max(1, batch_size)))
    if steps < 1 or (arrays and not len(images)):
        raise ValueError(
            f"`data` must hold images and `steps` must be positive. Received: {steps} steps, "
            f"{len(images) if arrays else 'a data set'} images"
        )
    warn_unless_pixels(images)
    encoder = SweetTemplateViT(template, dtype=dtype, tokens=_tokens(template, batch_size))
    if labelled:
        model = ImageClassifier(encoder, classes or int(np.max(data[1])) + 1)
    else:
        model = MaskedAutoencoder.from_template(template, encoder, mask_ratio=mask_ratio, seed=seed)
    schedule = WarmupCosine(learning_rate, steps, warmup=0.1)
    model.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=0.0), jit_compile=jit_compile
    )
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
    fitted = (encoder if labelled else model).template().arrays
    # By classification there is no new decoder; a template without one gets none.
    arrays = {name: fitted.get(name, array) for name, array in template.arrays.items()}
    return dataclasses.replace(template, arrays=arrays)


def _tokens(template: SweetTemplate, batch_size: int) -> int:
    rows, columns = template.grid
    return batch_size * rows * columns


def _batches(data: Any, batch_size: int, seed: int | None):
    """Endless batches of arrays, shuffled anew in each pass."""
    generator = np.random.default_rng(seed)
    parts = data if isinstance(data, tuple) else (data,)
    count = len(parts[0])
    queue = np.empty(0, int)
    while True:
        while len(queue) < batch_size:
            queue = np.concatenate([queue, generator.permutation(count)])
        batch = tuple(part[queue[:batch_size]] for part in parts)
        queue = queue[batch_size:]
        yield batch
