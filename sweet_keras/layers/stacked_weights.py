"""The variables of a network as arrays, those of its blocks stacked, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np


def _single(network: Any) -> dict[str, keras.Variable]:
    """Variables that exist once: of `patches`, if it has any, and of `final_norm`."""
    named = {
        "final_norm/scale": network.final_norm.scale,
        "final_norm/bias": network.final_norm.bias,
    }
    patches = getattr(network, "patches", None)
    return named if patches is None else named | patches.named_weights()


def read_weights(network: Any) -> dict[str, np.ndarray]:
    """Copies the variables of a network out.

    Args:
        network: Has `blocks`, `final_norm` and, if it sees images, `patches`.

    Returns:
        float32 arrays by the names of `sweet_keras.core.schema`.
    """
    arrays = {name: to_numpy(variable) for name, variable in _single(network).items()}
    layers = [block.named_weights() for block in network.blocks]
    stacked = {name: np.stack([to_numpy(layer[name]) for layer in layers]) for name in layers[0]}
    return arrays | stacked


def write_weights(network: Any, arrays: Mapping[str, np.ndarray]) -> None:
    """The inverse of `read_weights`.

    Raises:
        ValueError: If a shape differs (from Keras).
    """
    for name, variable in _single(network).items():
        variable.assign(arrays[name])
    for layer, block in enumerate(network.blocks):
        for name, variable in block.named_weights().items():
            variable.assign(arrays[name][layer])


def to_numpy(variable: keras.Variable) -> np.ndarray:
    """A copy of a variable as a float32 array."""
    return np.array(keras.ops.convert_to_numpy(variable), dtype="float32")
