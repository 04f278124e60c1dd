"""Networks of other sizes from weight templates that Kronecker products spread over a kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sweet_keras.core import resize
from sweet_keras.core.kernel_types import KERNEL_TYPES, units
from sweet_keras.core.size import ViTSize
from sweet_keras.initialization.brief_fit import fit_generated
from sweet_keras.initialization.resized_twin import resized_twin
from sweet_keras.layers.kronecker_template import KroneckerTemplate
from sweet_keras.layers.stacked_weights import to_numpy
from sweet_keras.models.generated_vit import GeneratedViT
from sweet_keras.models.masked_autoencoder import MaskedAutoencoder
from sweet_keras.models.vit_backbone import ViTBackbone


def kronecker_vit(
    blank: ViTBackbone,
    side: int | None = None,
    templates: int | Sequence[int] | None = None,
    train_templates: bool = True,
) -> GeneratedViT:
    """What is pre-trained for `wave`: kernels that are sums of Kronecker products.

    Args:
        blank: A network of the size wanted; it becomes part of the result.
        side: Side of a template, see `KroneckerTemplate`.
        templates: Templates of each kernel type, see `KroneckerTemplate`.
        train_templates: Whether the templates are trained.

    Raises:
        ValueError: If the side does not divide the width, or the network has stochastic depth.
    """
    options = {"side": side, "templates": templates, "train_templates": train_templates}
    return GeneratedViT.around(blank, KroneckerTemplate, **options)


def wave(
    source: MaskedAutoencoder,
    size: str | ViTSize,
    *,
    adapt: Any = None,
    epochs: float = 0.16,
    batch_size: int = 256,
    learning_rate: float = 1e-3,
    steps: int | None = None,
    seed: int | None = None,
) -> ViTBackbone:
    """Fits the scalers of a target size to trained templates, and writes the kernels out.

    The scalers start from the trained ones (a decision of this project): a prefix of the block
    grid, or the grid repeated, and evenly spaced layers. Then they and everything outside the
    kernels are fitted by the loss of the masked autoencoder, templates frozen, for as long as
    `sweet_keras.adapt` takes.

    Args:
        source: Trained, around an encoder made by `kronecker_vit`.
        size: Of the target, its width a multiple of the side of a template.
        adapt: Images (n, height, width, channels), or a data set of image batches together with
            `steps`. Without it nothing is fitted.
        epochs: Passes over the images.
        batch_size: Images in a step.
        learning_rate: Highest rate of Adam.
        steps: Number of steps instead of `epochs`.
        seed: Seed of shuffling and masks.

    Raises:
        ValueError: If the width is no multiple of the side, or the source is of another kind.

    Reference:
        Feng et al., WAVE, 2406.17503.
    """
    encoder = source.encoder
    if not isinstance(getattr(encoder, "expansion", None), KroneckerTemplate):
        raise ValueError(
            "`source` must be an autoencoder of what `kronecker_vit` makes. "
            f"Received: {type(encoder).__name__}"
        )
    target = ViTSize.parse(size, encoder.head_dim)
    if target.embed_dim % encoder.expansion.side:
        raise ValueError(
            f"`size` must have a width that is a multiple of {encoder.expansion.side}, the side of "
            f"a template. Received: {target} of width {target.embed_dim}"
        )
    network = _resized(encoder, target)
    if adapt is not None:
        fit_generated(source, network, adapt, epochs, batch_size, learning_rate, steps, seed)
    return network.materialize()


def _resized(encoder: GeneratedViT, target: ViTSize) -> GeneratedViT:
    """The same templates, frozen, under the scalers of another size."""
    old = encoder.expansion
    layers = resize.depth_map(encoder.size.depth, target.depth)
    blank = resized_twin(encoder.backbone, target)
    network = kronecker_vit(blank, old.side, old.templates, train_templates=False)
    new = network.expansion
    for kind in KERNEL_TYPES:
        # Copied: JAX reuses the memory of what it trains, which two variables must not share.
        new.template_variables[kind].assign(to_numpy(old.template_variables[kind]))
        scalers = to_numpy(old.scaler_variables[kind])
        new.scaler_variables[kind].assign(
            _resize_grid(scalers, kind, new.grid, layers, new.mlp_ratio)
        )
    return network


def _resize_grid(
    scalers: np.ndarray, kind: str, grid: int, layers: np.ndarray, mlp_ratio: int
) -> np.ndarray:
    """(L, I, J, n) to another depth and width, each part D of an MLP's hidden axis by itself."""
    depth, rows, columns, count = scalers.shape
    if kind == "mlp_in":
        shape, axes = (depth, rows, mlp_ratio, -1, count), "LImDn"
    elif kind == "mlp_out":
        shape, axes = (depth, mlp_ratio, -1, columns, count), "LmIDn"
    else:
        shape, axes = scalers.shape, "LIDn"
    resized = resize.resize_array(scalers.reshape(shape), axes, grid, layers)
    rows, columns = (grid * factor for factor in units(kind, mlp_ratio))
    return resized.reshape(len(resized), rows, columns, count)
