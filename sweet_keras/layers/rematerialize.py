"""Memory for time: what is computed is not kept for the gradient, but computed again."""

from __future__ import annotations

from typing import Any

from sweet_keras.layers.transformer_block import TransformerBlock
from sweet_keras.layers.tucker_template import TuckerTemplate


def rematerialize(model: Any, remat: bool = True) -> None:
    """Lets the blocks of a model keep their inputs only, in training, and a template its factors.

    Gradients are the same. A step takes about a third more time, and of the activations those
    between blocks are kept; of a template, W. It is not saved with the model. Call it before `fit`.

    Args:
        model: A model or layer with transformer blocks of this library.
        remat: Whether to; False undoes it.

    Raises:
        ValueError: If a block has stochastic depth, whose random numbers would be drawn again, or
            there is no block.

    Example:
    ```python
    mae = sk.MaskedAutoencoder(sk.SweetTemplateViT("L24H16"))
    sk.rematerialize(mae)
    ```
    """
    layers = list(model._flatten_layers())
    blocks = [layer for layer in layers if isinstance(layer, TransformerBlock)]
    templates = [layer for layer in layers if isinstance(layer, TuckerTemplate)]
    if remat and not blocks:
        raise ValueError(f"`model` must have transformer blocks. Received: {model!r}")
    dropping = [block.drop_path for block in blocks if block.drop_path]
    if remat and dropping:
        raise ValueError(
            "`model` must be without stochastic depth to be rematerialized. "
            f"Received: drop_path={max(dropping)}"
        )
    for layer in (*blocks, *templates):
        layer.remat = remat
