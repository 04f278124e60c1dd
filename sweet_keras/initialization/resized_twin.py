"""What lies outside the kernels, in another size."""

from __future__ import annotations

from sweet_keras.core import resize
from sweet_keras.core.schema import rest
from sweet_keras.core.size import ViTSize
from sweet_keras.models.vit_backbone import ViTBackbone


def resized_twin(network: ViTBackbone, size: ViTSize) -> ViTBackbone:
    """A network of another size: kernels random, the rest by head prefix and evenly spaced layers.

    Args:
        network: A trained network.
        size: Of the result.
    """
    layers = resize.depth_map(network.size.depth, size.depth)
    axes = rest(class_token=True, layer_scale=True, register_tokens=1)
    twin = network.twin(size)
    arrays = twin.arrays()
    for name, array in network.arrays().items():
        if name in axes:
            arrays[name] = resize.resize_array(array, axes[name], size.embed_dim, layers)
    twin.load_arrays(arrays)
    return twin
