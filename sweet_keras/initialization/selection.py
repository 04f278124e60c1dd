"""A smaller vision transformer from some of the weights of a larger one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from sweet_keras.core import resize, schema
from sweet_keras.core.size import ViTSize
from sweet_keras.models.vit_backbone import ViTBackbone

Arrays = dict[str, np.ndarray]
# Of a plain network.
AXES = schema.rest(class_token=True, layer_scale=True, register_tokens=1) | schema.KERNELS
Index = Callable[[int, int], np.ndarray]  # (n of the source, m of the target) -> (m,) positions


def weight_selection(source: ViTBackbone, size: str | ViTSize) -> ViTBackbone:
    """Every n/m-th channel of every axis, and the first layers.

    An axis of n elements gives m of them by uniform stride where m divides n, and at rounded,
    evenly spaced positions else. Query, key and value are axes of their own.

    Args:
        source: A trained network, no axis smaller than the target's.
        size: Of the target.

    Raises:
        ValueError: If the target is larger than the source.

    Reference:
        Xu et al., Initializing Models with Larger Ones, 2311.18823.
    """
    target = _smaller(source, size)
    return _network(
        source, target, select(source.arrays(), np.arange(target.depth), target, spread)
    )


def prefix_selection(source: ViTBackbone, size: str | ViTSize) -> ViTBackbone:
    """The first channels of every axis, and evenly spaced layers: the plain control.

    Args:
        source: A trained network, no axis smaller than the target's.
        size: Of the target.

    Raises:
        ValueError: If the target is larger than the source.
    """
    target = _smaller(source, size)
    layers = resize.depth_map(source.size.depth, target.depth).argmax(axis=1)
    return _network(source, target, select(source.arrays(), layers, target, prefix))


def spread(n: int, m: int) -> np.ndarray:
    """Positions of m elements of n, evenly spaced."""
    if n % m == 0:
        return np.arange(m) * (n // m)
    return np.round(np.linspace(0, n - 1, m)).astype(int)


def prefix(n: int, m: int) -> np.ndarray:
    """Positions of the first m elements of n."""
    return np.arange(m)


def select(
    arrays: Mapping[str, np.ndarray], layers: np.ndarray, target: ViTSize, index: Index
) -> Arrays:
    """Takes elements of every axis that a width or a depth decides.

    Args:
        arrays: Of a network, by the names of `sweet_keras.core.schema`.
        layers: Which of its layers, one for each of the target's.
        target: The size wanted.
        index: Which elements of an axis.

    Returns:
        Arrays of the target's shapes.
    """
    dim = target.embed_dim
    result = {}
    for name, array in arrays.items():
        for axis, letter in enumerate(AXES[name]):
            if letter == "L":
                array = array[layers]
            elif name == "mlp_in/bias" and letter == "D":
                ratio = array.shape[1]
                hidden = array.reshape(len(array), -1)
                array = _take(hidden, 1, ratio * dim, index).reshape(len(array), ratio, dim)
            elif letter == "3D":
                # Query, key and value lie side by side.
                thirds = np.split(array, 3, axis)
                array = np.concatenate([_take(third, axis, dim, index) for third in thirds], axis)
            elif letter in ("D", "I"):
                array = _take(array, axis, dim, index)
            elif letter in ("mD", "mI"):
                ratio = arrays["mlp_in/bias"].shape[1]
                array = _take(array, axis, ratio * dim, index)
        result[name] = array
    return result


def _take(array: np.ndarray, axis: int, length: int, index: Index) -> np.ndarray:
    return np.take(array, index(array.shape[axis], length), axis)


def _smaller(source: ViTBackbone, size: str | ViTSize) -> ViTSize:
    target = ViTSize.parse(size, source.head_dim)
    if target.depth > source.size.depth or target.embed_dim > source.embed_dim:
        raise ValueError(
            f"`size` must be no deeper and no wider than the source, {source.size}. "
            f"Received: {target}"
        )
    return target


def narrower(source: ViTBackbone, size: str | ViTSize) -> ViTSize:
    """Reads the size of a target.

    Raises:
        ValueError: If it is wider than the source.
    """
    target = ViTSize.parse(size, source.head_dim)
    if target.embed_dim > source.embed_dim:
        raise ValueError(f"`size` must be no wider than the source. Received: {target}")
    return target


def _network(source: ViTBackbone, size: ViTSize, arrays: Arrays) -> ViTBackbone:
    network = source.twin(size)
    network.load_arrays(arrays)
    return network
