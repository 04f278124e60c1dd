"""Fitting a template to what the network it was made from gives."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import keras
import numpy as np
from keras import ops

from sweet_keras.core.template import SweetTemplate
from sweet_keras.initialization.brief_fit import count_steps, fit_briefly, tokens_in_step
from sweet_keras.initialization.decompose import plain_network
from sweet_keras.initialization.materialize import materialize
from sweet_keras.layers.sweet_template_vit import SweetTemplateViT
from sweet_keras.models.masked_autoencoder import MaskedAutoencoder
from sweet_keras.models.pixel_range import warn_unless_pixels
from sweet_keras.models.vit_backbone import ViTBackbone

# Rate of G and of all else, as a multiple of the scalers', whose stored numbers are about one.
_REST_RATE = 0.1
_VALIDATION = 256  # images, by default


def refine(
    template: SweetTemplate,
    vit: ViTBackbone | MaskedAutoencoder | str | os.PathLike[str],
    images: Any,
    *,
    validation: Any = None,
    epochs: float = 1.0,
    batch_size: int = 64,
    learning_rate: float = 5e-3,
    steps: int | None = None,
    seed: int | None = None,
    dtype: Any = None,
    jit_compile: bool | str = "auto",
    callbacks: list[keras.callbacks.Callback] | None = None,
    verbose: int | str = 0,
) -> SweetTemplate:
    """Fits all of a template to the tokens of its source, on images without labels.

    `decompose` keeps the energy of the kernels, and energy is not function. Here the core, the
    scalers and everything outside them are fitted by the mean squared error of the tokens. Where
    channels were ordered, the order in the template's record says which token channel is which.

    Args:
        template: Made by `sweet_keras.decompose`, of the size of its source.
        vit: The source, or its path. It is left as it is.
        images: Pixels (n, height, width, channels) in 0..255, or a data set of batches together
            with `steps` and `validation`.
        validation: Images that the error is measured on and that nothing is fitted to; by default
            the last tenth of `images`, at most 256.
        epochs: Passes over the images.
        batch_size: Images in a step.
        learning_rate: Highest rate of the scalers (Adam); it falls to 0 by a cosine, after a tenth
            of the steps of warm-up. All else has a tenth of it.
        steps: Number of steps instead of `epochs`.
        seed: Seed of shuffling.
        dtype: Data type policy.
        jit_compile: As in `keras.Model.compile`.
        callbacks: Keras callbacks.
        verbose: As in `keras.Model.fit`.

    Returns:
        A template of the same size and ranks. Under `"refinement"` its record has `error_before`
        and `error_after`, see `output_error`, and `steps`.

    Raises:
        ValueError: If the template is of another size than the network, or there are no images to
            fit to or to measure on.
    """
    network = plain_network(vit)
    if (template.size, template.image_shape) != (network.size, network.image_shape):
        raise ValueError(
            f"`template` must be of the size and images of `vit`, {network.size} and "
            f"{network.image_shape}. Received: {template.size} and {template.image_shape}"
        )
    images, validation = _split(images, validation)
    steps, batch_size = count_steps(images, epochs, batch_size, steps)
    warn_unless_pixels(images)
    student = SweetTemplateViT(
        template, train_core=True, tokens=tokens_in_step(template, batch_size), dtype=dtype
    )
    teacher = network.twin()
    teacher.load_arrays(network.arrays())
    model = _Distillation(student, teacher, _channels(template))
    model.build((None, *template.image_shape))
    fit_briefly(
        model,
        images,
        steps,
        batch_size,
        learning_rate,
        rest_rate=_REST_RATE,
        seed=seed,
        jit_compile=jit_compile,
        callbacks=callbacks,
        verbose=verbose,
    )
    refined = dataclasses.replace(template, arrays={**template.arrays, **student.template().arrays})
    about = {
        "error_before": round(output_error(template, network, validation), 6),
        "error_after": round(output_error(refined, network, validation), 6),
        "steps": steps,
    }
    return dataclasses.replace(refined, record={**template.record, "refinement": about})


def output_error(
    template: SweetTemplate,
    vit: ViTBackbone | MaskedAutoencoder,
    images: np.ndarray,
    batch_size: int = 64,
) -> float:
    """How far the tokens of a template's network are from those of its source.

    Args:
        template: Made by `sweet_keras.decompose`.
        vit: The source.
        images: Pixels (n, height, width, channels) in 0..255.
        batch_size: Images that go through a network at once.

    Returns:
        The length of the difference over that of the tokens without their mean: 1 for a network
        that gives nothing but the mean token.
    """
    theirs = plain_network(vit).predict(images, batch_size=batch_size, verbose=0)
    mine = materialize(template).predict(images, batch_size=batch_size, verbose=0)
    theirs = theirs[..., _channels(template)].astype("float64")
    spread = theirs - theirs.mean(axis=(0, 1))
    return float(np.linalg.norm(mine - theirs) / np.linalg.norm(spread))


class _Distillation(keras.Model):
    """A network that learns the tokens of another one."""

    def __init__(self, student: SweetTemplateViT, teacher: ViTBackbone, channels: np.ndarray):
        super().__init__(name="distillation", dtype=student.dtype_policy)
        self.student = student
        self.teacher = teacher
        self.teacher.trainable = False
        self.channels = channels.tolist()

    def build(self, input_shape):
        self.built = True

    def call(self, images, training=None):
        wanted = ops.take(self.teacher(images, training=False), self.channels, axis=-1)
        return {"given": self.student(images, training=training), "wanted": wanted}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        # A loss of Keras, not a mean of ours: on TensorFlow it counts for one device of several.
        wanted = ops.stop_gradient(y_pred["wanted"])
        return keras.losses.MeanSquaredError()(wanted, y_pred["given"])


def _channels(template: SweetTemplate) -> np.ndarray:
    """Which channel of the source stands at each place of the template's tokens."""
    channels = template.record.get("decomposition", {}).get("channels")
    return np.asarray(channels or range(template.size.embed_dim), int)


def _split(images: Any, validation: Any) -> tuple[Any, np.ndarray]:
    if validation is not None:
        return images, np.asarray(validation)
    held = min(_VALIDATION, len(images) // 10) if hasattr(images, "shape") else 0
    if not held:
        raise ValueError(
            "`validation` must be given with a data set, or fewer than ten images. Received: "
            "validation=None"
        )
    return images[:-held], np.asarray(images[-held:])
