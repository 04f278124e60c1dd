"""Networks of any depth from two sets of weights that were trained to span a line."""

from __future__ import annotations

import numpy as np

from sweet_keras.core.size import ViTSize
from sweet_keras.initialization.selection import narrower, prefix, select
from sweet_keras.layers.linear_expansion import LinearExpansion
from sweet_keras.layers.stacked_weights import to_numpy
from sweet_keras.models.generated_vit import GeneratedViT
from sweet_keras.models.vit_backbone import ViTBackbone


def linear_vit(blank: ViTBackbone) -> GeneratedViT:
    """What is pre-trained for `tleg`: blocks that lie on a line.

    Args:
        blank: A network of the size wanted; it becomes part of the result.

    Raises:
        ValueError: If it has stochastic depth.
    """
    return GeneratedViT.around(blank, LinearExpansion, layer_scale=blank.layer_scale)


def tleg(source: GeneratedViT, size: str | ViTSize) -> ViTBackbone:
    """Expands a trained line of blocks to another depth: theta_l = theta_B + (l / L) theta_A.

    Args:
        source: Trained, made by `linear_vit`.
        size: Of the target, of any depth and no wider than the source; narrower ones take the first
            channels (a decision of this project).

    Raises:
        ValueError: If the target is wider than the source, or the source is of another kind.

    Reference:
        Xia et al., Transformer as Linear Expansion of Learngene, 2312.05614.
    """
    if not isinstance(getattr(source, "expansion", None), LinearExpansion):
        raise ValueError(
            f"`source` must be made by `linear_vit`. Received: {type(source).__name__}"
        )
    target = narrower(source, size)
    blocks = source.expansion(depth=target.depth)
    arrays = source.backbone.arrays() | {name: to_numpy(block) for name, block in blocks.items()}
    network = source.backbone.twin(target)
    network.load_arrays(select(arrays, np.arange(target.depth), target, prefix))
    return network
