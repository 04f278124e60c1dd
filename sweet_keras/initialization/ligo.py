"""Larger networks grown from a small trained one."""

from __future__ import annotations

from typing import Any

from sweet_keras.core.size import ViTSize
from sweet_keras.initialization.brief_fit import fit_generated
from sweet_keras.layers.growth_operators import GrowthOperators
from sweet_keras.models.generated_vit import GeneratedViT
from sweet_keras.models.masked_autoencoder import MaskedAutoencoder
from sweet_keras.models.vit_backbone import ViTBackbone

LIGO_STEPS = 100  # the paper's


def ligo(
    source: MaskedAutoencoder,
    size: str | ViTSize,
    *,
    adapt: Any = None,
    steps: int = LIGO_STEPS,
    batch_size: int = 256,
    learning_rate: float = 1e-3,
    seed: int | None = None,
    stacked: bool = False,
) -> ViTBackbone:
    """Fits the operators that grow a small network, and writes the grown weights out.

    Only the operators are fitted, by the loss of the masked autoencoder; the small network and its
    decoder stay as they are. At the size of the source there is nothing to fit: it is copied.

    Args:
        source: Trained, around a plain `ViTBackbone`.
        size: Of the target, no smaller than the source in depth and width.
        adapt: Images (n, height, width, channels), or a data set of image batches. Without it the
            operators stay as they start: copies of channels and layers.
        steps: Number of steps; the paper's is 100.
        batch_size: Images in a step.
        learning_rate: Highest rate of Adam.
        seed: Seed of shuffling and masks.
        stacked: Start from stacked instead of evenly spaced layers.

    Raises:
        ValueError: If the target is smaller than the source, or the source is of another kind.

    Reference:
        Wang et al., Learning to Grow Pretrained Models for Efficient Transformer Training,
        2303.00980.
    """
    if not isinstance(source.encoder, ViTBackbone):
        raise ValueError(
            "`source` must be an autoencoder of a plain ViTBackbone. "
            f"Received: {type(source.encoder).__name__}"
        )
    small = source.encoder.twin()  # a copy, since it will be frozen
    small.load_arrays(source.encoder.arrays())
    operators = GrowthOperators(size, small, stacked, name="expansion", dtype=small.dtype_policy)
    network = GeneratedViT(small.twin(operators.vit_size), operators)
    network.build()
    if adapt is not None and operators.trainable_variables:
        options = {"train_decoder": False}
        fit_generated(
            source, network, adapt, 1.0, batch_size, learning_rate, steps, seed, **options
        )
    return network.materialize()
