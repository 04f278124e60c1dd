"""KerasHub's `ViTBackbone` and `ViTImageClassifier`, built and filled."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import h5py

from sweet_keras.formats.keras_hub_names import KERAS_HUB
from sweet_keras.formats.other_pixels import other_pixels
from sweet_keras.formats.plain_network import plain_network, refuse
from sweet_keras.formats.to_foreign import to_foreign
from sweet_keras.models.optional_library import optional_library
from sweet_keras.models.vit_backbone import ViTBackbone


def to_keras_hub(model: Any) -> Any:
    """Makes KerasHub's network of one of this package.

    It takes pixels as KerasHub's published ViTs do, in -1..1: other means and deviations are
    multiplied into the patch embedding, and so are scales of the branches into their kernels.

    Args:
        model: A `ViTBackbone` or `ImageClassifier`.

    Returns:
        A live `keras_hub.models.ViTBackbone` or `ViTImageClassifier`.

    Raises:
        ValueError: If KerasHub has no such network.
        ImportError: If KerasHub is not installed.
    """
    vit, head = plain_network(model)
    if vit.register_tokens:
        raise refuse("KerasHub", "it has no registers", f"register_tokens={vit.register_tokens}")
    if vit.activation != "gelu":
        raise refuse("KerasHub", "its GELU is exact", f"activation={vit.activation!r}")
    if head is not None and head.pooling == "mean" and vit.class_token:
        raise refuse("KerasHub", "its mean is over the class token too", "class_token=True")
    models = optional_library("keras_hub", "hub").models
    backbone = models.ViTBackbone(
        image_shape=vit.image_shape,
        patch_size=vit.patch_size,
        num_layers=vit.size.depth,
        num_heads=vit.size.num_heads,
        hidden_dim=vit.embed_dim,
        mlp_dim=vit.mlp_ratio * vit.embed_dim,
        layer_norm_epsilon=vit.norm_epsilon,
        use_class_token=vit.class_token,
    )
    _fill(backbone, other_pixels(vit, 127.5, 127.5))
    if head is None:
        return backbone
    classifier = models.ViTImageClassifier(
        backbone,
        head.classes,
        pooling="token" if head.pooling == "token" else "gap",
    )
    classifier.output_dense.set_weights([head.kernel, head.bias])
    return classifier


def _fill(backbone: Any, vit: ViTBackbone) -> None:
    """Writes the weights over those of a weights file, and loads it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.weights.h5"
        backbone.save_weights(path)
        with h5py.File(path, "r+") as file:
            for name, array in to_foreign(KERAS_HUB, vit).items():
                file[f"layers/{name.replace('block_0/', 'block/')}"][...] = array
        backbone.load_weights(path)
