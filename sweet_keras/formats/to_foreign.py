"""The weights of a network by the names of another library."""

from __future__ import annotations

import numpy as np

from sweet_keras.formats.name_table import NameTable, Sizes
from sweet_keras.models.vit_backbone import ViTBackbone

State = dict[str, np.ndarray]


def sizes_of(vit: ViTBackbone) -> Sizes:
    """The letters of `sweet_keras.formats.name_table` in numbers."""
    size, patch = vit.size, vit.patch_size
    dim = size.embed_dim
    return {
        "D": dim,
        "I": dim,
        "K": vit.mlp_ratio * dim,
        "H": size.num_heads,
        "d": size.head_dim,
        "p": patch,
        "q": patch,
        "C": vit.image_shape[2],
    }


def to_foreign(table: NameTable, vit: ViTBackbone, class_position: bool = True) -> State:
    """Names and lays out the weights of a network as another library does.

    Args:
        table: Its names. Where it has no layer scale, that of the network is multiplied into the
            kernels before it.
        vit: The network; it has a class token and register tokens only where the table names them.
        class_position: Whether the table of positions has a row for the class token: zeros, since
            ours has its position added already.

    Returns:
        float32 arrays, by name.
    """
    arrays = vit.arrays()
    if table.layer_scale is None and vit.layer_scale is not None:
        arrays = without_layer_scale(arrays)
    sizes, state = sizes_of(vit), {}
    for ours, entry in table.entries.items():
        layered = "{}" in entry.names("{}")[0]
        for layer, array in enumerate(arrays[ours] if layered else arrays[ours][None]):
            state |= zip(entry.names(layer), entry.write(array, sizes), strict=True)
    if table.layer_scale is not None and vit.layer_scale is not None:
        for ours, theirs in zip(("layer_scale1", "layer_scale2"), table.layer_scale, strict=True):
            state |= {theirs.format(layer): scale for layer, scale in enumerate(arrays[ours])}
    positions = arrays["positions"]
    if vit.class_token:
        state[table.class_token] = arrays["class_token"][None, None]
        if class_position:
            positions = np.concatenate([np.zeros_like(positions[:1]), positions])
    if vit.register_tokens:
        state[table.register_tokens] = arrays["register_tokens"][None]
    state[table.positions] = positions if table.flat_positions else positions[None]
    return {name: np.ascontiguousarray(array, "float32") for name, array in state.items()}


def without_layer_scale(arrays: State) -> State:
    """Multiplies the scales of the branches into the kernels and biases before them.

    Args:
        arrays: Of a network, by the names of `sweet_keras.core.schema`.

    Returns:
        Those of the same function without scales.
    """
    arrays = dict(arrays)
    for branch, scale in (("output", "layer_scale1"), ("mlp_out", "layer_scale2")):
        factor = arrays.pop(scale)
        arrays[f"{branch}/kernel"] = arrays[f"{branch}/kernel"] * factor[:, None, :]
        arrays[f"{branch}/bias"] = arrays[f"{branch}/bias"] * factor
    return arrays
