"""keras-cv's `ViTDetBackbone`, built and filled."""

from __future__ import annotations

from typing import Any

import numpy as np

from sweet_keras.formats.other_pixels import other_pixels
from sweet_keras.formats.plain_network import plain_network, refuse
from sweet_keras.formats.timm_names import IMAGENET_MEAN, IMAGENET_STD
from sweet_keras.formats.to_foreign import without_layer_scale
from sweet_keras.layers.windows import layer_windows
from sweet_keras.models.optional_library import optional_library
from sweet_keras.models.vit_backbone import ViTBackbone


def to_keras_cv(model: Any) -> Any:
    """Makes keras-cv's `ViTDetBackbone` of a network.

    It takes pixels in 0..255, and its output (B, h, w, D) is the tokens on their grid: of the two
    convolutions of its neck both are the identity, the first norm does what the final norm does
    without scale and bias, and the second has these.

    Args:
        model: A `ViTBackbone`: of square images with three channels, without class token and
            registers, with exact GELU; windows only where whole ones cover the grid.

    Returns:
        A live `keras_cv.models.ViTDetBackbone`.

    Raises:
        ValueError: If keras-cv has no such network.
        ImportError: If keras-cv is not installed.
    """
    vit, head = plain_network(model, window=True)
    rows, columns = vit.patches.grid
    for fits, reason, received in (
        (head is None, "it has no classifier of ViTDet", "an ImageClassifier"),
        (rows == columns, "its images are square", f"image_shape={vit.image_shape}"),
        (vit.image_shape[2] == 3, "its images have three channels", f"{vit.image_shape[2]}"),
        (not vit.class_token, "it has no class token", "class_token=True"),
        (not vit.register_tokens, "it has no registers", f"{vit.register_tokens}"),
        (vit.activation == "gelu", "its GELU is exact", f"{vit.activation!r}"),
        (vit.norm_epsilon == 1e-6, "its epsilon is 1e-6", f"norm_epsilon={vit.norm_epsilon}"),
        (
            vit.window is None or not rows % vit.window,
            "its padding of windows is attended to",
            f"window={vit.window} on a grid of {rows} x {columns}",
        ),
    ):
        if not fits:
            raise refuse("keras-cv", reason, received)
    windows = layer_windows(vit.size.depth, vit.window, vit.global_blocks)
    backbone = optional_library("keras_cv", "cv").models.ViTDetBackbone(
        include_rescaling=True,
        input_shape=vit.image_shape,
        patch_size=vit.patch_size,
        embed_dim=vit.embed_dim,
        depth=vit.size.depth,
        mlp_dim=vit.mlp_ratio * vit.embed_dim,
        num_heads=vit.size.num_heads,
        out_chans=vit.embed_dim,
        use_rel_pos=False,
        window_size=vit.window or 0,
        global_attention_indices=[i for i, window in enumerate(windows) if window is None],
    )
    scaled = np.multiply(255, IMAGENET_MEAN), np.multiply(255, IMAGENET_STD)
    backbone.set_weights(_weights(other_pixels(vit, *scaled)))
    return backbone


def _weights(vit: ViTBackbone) -> list[np.ndarray]:
    """The weights in the order in which keras-cv makes them; their names count up globally."""
    dim, (rows, columns) = vit.embed_dim, vit.patches.grid
    arrays = vit.arrays()
    if vit.layer_scale is not None:
        arrays = without_layer_scale(arrays)
    patch = arrays["patch/kernel"].reshape(vit.patch_size, vit.patch_size, 3, dim)
    weights = [patch, arrays["patch/bias"], arrays["positions"].reshape(1, rows, columns, dim)]
    for layer in range(vit.size.depth):
        for name in (
            "norm1/scale norm1/bias norm2/scale norm2/bias qkv/kernel qkv/bias output/kernel "
            "output/bias mlp_in/kernel mlp_in/bias mlp_out/kernel mlp_out/bias"
        ).split():
            array = arrays[name][layer]
            weights.append(array.reshape(-1) if name.endswith("bias") else array)
    identity = np.eye(dim, dtype="float32")
    centre = np.zeros((3, 3, dim, dim), "float32")
    centre[1, 1] = identity
    ones, zeros = np.ones(dim, "float32"), np.zeros(dim, "float32")
    return [
        *weights,
        identity[None, None],
        ones,
        zeros,
        centre,
        arrays["final_norm/scale"],
        arrays["final_norm/bias"],
    ]
