"""A template made of the plain network of a comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from sweet_keras.core.template import SweetTemplate
from sweet_keras.data import Source, Subset, pipeline
from sweet_keras.initialization.decompose import decompose
from sweet_keras.initialization.refine import refine
from sweet_keras.models.masked_autoencoder import MaskedAutoencoder
from sweet_keras.runs.variants import Variant

_IMAGES = 512  # to order channels by, and to measure the tokens on
_REFINE_BATCH = 64
_REFINE_SHARE = 0.1  # of the epochs of `adapt`: the whole source is trained, beside its teacher


def decomposed(
    variant: Variant,
    plain: MaskedAutoencoder,
    source: Source,
    batches: Callable[[int], Iterable],
    epochs: float,
) -> SweetTemplate:
    """Makes the template of a variant that has a `decomposition`.

    Args:
        variant: The variant.
        plain: The plain network, with the decoder it was pre-trained with.
        source: The images it was pre-trained on.
        batches: Batches of them of a size, to refine with.
        epochs: Passes over them that `adapt` makes; refining makes a tenth of them.
    """
    options = dict(variant.decomposition)
    share = options.pop("share", None)
    if share is not None:
        options["max_parameters"] = int(share * plain.encoder.count_params())
    images = some_images(source, plain.encoder.image_shape)
    if options["order"] == "activation":
        options["images"] = images
    template = decompose(plain, **options)
    if not variant.refined:
        return template
    batch_size = min(_REFINE_BATCH, len(source))
    return refine(
        template,
        plain,
        batches(batch_size),
        validation=images,
        batch_size=batch_size,
        steps=max(1, round(_REFINE_SHARE * epochs * len(source) / batch_size)),
        seed=0,
    )


def some_images(source: Source, image_shape: tuple[int, int, int]) -> np.ndarray:
    """Evenly spaced images, whole: (n, height, width, channels)."""
    count = min(_IMAGES, len(source))
    few = Subset(source, np.arange(count) * len(source) // count)
    return next(iter(pipeline(few, count, image_shape=image_shape, shuffle=False, repeat=False)))
