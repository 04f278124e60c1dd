"""The variables of a network as arrays, those of its blocks stacked, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np


def named_variables(network: Any) -> dict[str, keras.Variable | list[keras.Variable]]:
    """The variables of a network by the names of `sweet_keras.core.schema`.

    Args:
        network: Has `blocks`, `final_norm` and, if it sees images, `patches`.

    Returns:
        One variable, or, for what every block has, a list with one for each of them.
    """
    named: dict[str, Any] = {
        "final_norm/scale": network.final_norm.scale,
        "final_norm/bias": network.final_norm.bias,
    }
    patches = getattr(network, "patches", None)
    if patches is not None:
        named |= patches.named_weights()
    layers = [block.named_weights() for block in network.blocks]
    return named | {name: [layer[name] for layer in layers] for name in layers[0]}


def read_weights(network: Any) -> dict[str, np.ndarray]:
    """Copies the variables of a network out.

    Args:
        network: See `named_variables`.

    Returns:
        float32 arrays by the names of `sweet_keras.core.schema`.
    """
    return {
        name: np.stack([to_numpy(v) for v in found]) if isinstance(found, list) else to_numpy(found)
        for name, found in named_variables(network).items()
    }


def write_weights(network: Any, arrays: Mapping[str, np.ndarray]) -> None:
    """The inverse of `read_weights`.

    Raises:
        ValueError: If a shape differs (from Keras).
    """
    for name, found in named_variables(network).items():
        if isinstance(found, list):
            for layer, variable in enumerate(found):
                variable.assign(arrays[name][layer])
        else:
            found.assign(arrays[name])


def to_numpy(variable: Any) -> np.ndarray:
    """A copy of a variable or tensor as a float32 array."""
    return np.array(keras.ops.convert_to_numpy(variable), dtype="float32")
