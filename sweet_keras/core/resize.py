"""From one size to another: head prefixes, repetition, and the map between depths."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

DEPTH_MAPS = ("nearest", "linear")


def width_index(source_dim: int, target_dim: int) -> np.ndarray:
    """Which source channel each target channel starts from: a prefix, or the channels repeated.

    Args:
        source_dim: Channels of the source, a whole number of heads.
        target_dim: Channels of the target, a whole number of heads.

    Returns:
        (target_dim,) integers.
    """
    return np.arange(target_dim) % source_dim


def resize_width(array: np.ndarray, axis: int, target_dim: int) -> np.ndarray:
    """Takes a prefix of `axis`, or repeats it to `target_dim`."""
    result: np.ndarray = np.take(array, width_index(array.shape[axis], target_dim), axis=axis)
    return result


def resize_input_width(array: np.ndarray, axis: int, target_dim: int) -> np.ndarray:
    """As `resize_width`, for an axis that is summed over: repeated rows share their sum.

    Channels that were repeated feed the next layer several times; dividing each copy by the
    number of copies keeps the function of the network (as in Net2Net, 1511.05641).
    """
    index = width_index(array.shape[axis], target_dim)
    copies = np.bincount(index, minlength=array.shape[axis])[index]
    shape = [1] * array.ndim
    shape[axis] = target_dim
    resized = np.take(array, index, axis=axis) / copies.reshape(shape)
    result: np.ndarray = resized.astype(array.dtype)
    return result


def depth_positions(source_depth: int, target_depth: int) -> np.ndarray:
    """Relative depth of each target layer in units of source layers: first to first, last to last.

    A target of one layer sits in the middle.
    """
    if target_depth == 1:
        return np.array([(source_depth - 1) / 2])
    # Multiplied before it is divided: whole and half positions are then exact.
    return np.arange(target_depth) * (source_depth - 1) / (target_depth - 1)


def depth_map(source_depth: int, target_depth: int, kind: str = "nearest") -> np.ndarray:
    """The matrix that makes target layers from source layers.

    Args:
        source_depth: Layers of the source.
        target_depth: Layers of the target.
        kind: `"nearest"` keeps evenly spaced source layers (or repeats them); `"linear"`
            interpolates between neighbours.

    Returns:
        (target_depth, source_depth), rows that sum to 1.

    Raises:
        ValueError: If `kind` is unknown.
    """
    positions = depth_positions(source_depth, target_depth)
    layers = np.arange(target_depth)
    result = np.zeros((target_depth, source_depth))
    if kind == "nearest":
        result[layers, np.floor(positions + 0.5).astype(int)] = 1.0
    elif kind == "linear":
        below = np.floor(positions).astype(int)
        above = np.minimum(below + 1, source_depth - 1)
        result[layers, below] += 1.0 - (positions - below)
        result[layers, above] += positions - below
    else:
        raise ValueError(f"`depth_map` must be one of {', '.join(DEPTH_MAPS)}. Received: {kind!r}")
    return result


def resize_depth(array: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Applies a `depth_map` to the first axis of a per-layer array (L, ...)."""
    flat = matrix @ array.reshape(array.shape[0], -1)
    result: np.ndarray = flat.reshape(matrix.shape[0], *array.shape[1:]).astype(array.dtype)
    return result


def resize_array(
    array: np.ndarray, axes: Sequence[str], embed_dim: int, layers: np.ndarray
) -> np.ndarray:
    """Takes an array to another width and depth.

    Args:
        array: Any array of a network.
        axes: The letters of its axes (see `sweet_keras.core.schema`): "D", "I" and "L" are resized,
            others stay.
        embed_dim: D of the target.
        layers: A `depth_map`.
    """
    for axis, letter in enumerate(axes):
        if letter == "D":
            array = resize_width(array, axis, embed_dim)
        elif letter == "I":
            array = resize_input_width(array, axis, embed_dim)
        elif letter == "L":
            array = resize_depth(array, layers)
    return array


def interpolation_matrix(source: int, target: int) -> np.ndarray:
    """Bicubic (a = -0.5), anti-aliased interpolation along one axis, as pillow's.

    Args:
        source: Samples there are.
        target: Samples wanted.

    Returns:
        (target, source), rows that sum to 1.
    """
    scale = source / target
    support = max(scale, 1.0)
    centres = (np.arange(target) + 0.5) * scale
    distance = np.abs(np.arange(source) + 0.5 - centres[:, None]) / support
    near = (1.5 * distance - 2.5) * distance**2 + 1.0
    far = ((-0.5 * distance + 2.5) * distance - 4.0) * distance + 2.0
    weights = np.where(distance < 1, near, np.where(distance < 2, far, 0.0))
    result: np.ndarray = weights / weights.sum(axis=1, keepdims=True)
    return result


def resize_grid(table: np.ndarray, source: Sequence[int], target: Sequence[int]) -> np.ndarray:
    """Interpolates a table of positions.

    Args:
        table: (h*w, D), row-major over the source grid.
        source: (h, w).
        target: (h', w').

    Returns:
        (h'*w', D).
    """
    if tuple(source) == tuple(target):
        return table
    rows = interpolation_matrix(source[0], target[0])
    columns = interpolation_matrix(source[1], target[1])
    grid = table.reshape(source[0], source[1], -1)
    resized = np.einsum("ah,hwd,bw->abd", rows, grid, columns, optimize=True)
    result: np.ndarray = resized.reshape(target[0] * target[1], -1).astype(table.dtype)
    return result
