"""Fitting the scalers of a target size, the template frozen."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np

from sweet_keras.core.template import SweetTemplate
from sweet_keras.initialization.brief_fit import count_steps, fit_briefly, tokens_in_step
from sweet_keras.layers.sweet_template_vit import SweetTemplateViT
from sweet_keras.models.image_classifier import ImageClassifier
from sweet_keras.models.masked_autoencoder import MaskedAutoencoder
from sweet_keras.models.pixel_range import warn_unless_pixels

# Rate of norms, biases, embedding and decoder, as a multiple of the scalers'. At the same rate they
# take over: the loss is as low, and fine-tuning from there is worse (see `docs/experiments.md`).
REST_RATE = 0.1


def adapt(
    template: SweetTemplate,
    data: Any,
    *,
    epochs: float = 1.0,
    batch_size: int = 128,
    learning_rate: float = 2e-2,
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
        epochs: Passes over the images. The paper's 0.16 are of 1.3 million images: what counts is
            some hundred steps.
        batch_size: Images in a step.
        learning_rate: Highest rate of the scalers (Adam); it falls to 0 by a cosine, after a tenth
            of the steps of warm-up. All else has a tenth of it.
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
    steps, batch_size = count_steps(data, epochs, batch_size, steps)
    labelled = isinstance(data, tuple) or classes is not None
    warn_unless_pixels(data[0] if isinstance(data, tuple) else data)
    encoder = SweetTemplateViT(template, dtype=dtype, tokens=tokens_in_step(template, batch_size))
    if labelled:
        model = ImageClassifier(encoder, classes or int(np.max(data[1])) + 1)
    else:
        model = MaskedAutoencoder.from_template(template, encoder, mask_ratio=mask_ratio, seed=seed)
    fit_briefly(
        model,
        data,
        steps,
        batch_size,
        learning_rate,
        rest_rate=REST_RATE,
        seed=seed,
        jit_compile=jit_compile,
        callbacks=callbacks,
        verbose=verbose,
    )
    fitted = (encoder if labelled else model).template().arrays
    # By classification there is no new decoder; a template without one gets none.
    arrays = {name: fitted.get(name, array) for name, array in template.arrays.items()}
    return dataclasses.replace(template, arrays=arrays)
