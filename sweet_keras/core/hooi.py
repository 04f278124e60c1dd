"""The factors of a given W: truncated HOSVD, then alternating least squares (HOOI).

W (N, D, E) comes as a list of parts along its first axis, one for each layer, in float32. No
unfolding of it is ever made: the Gram matrix of an axis is added up block by block in float64, and
its eigenvectors are the left singular vectors of the unfolding.

References: De Lathauwer et al., A Multilinear Singular Value Decomposition, 2000; On the Best
Rank-1 and Rank-(R1, ..., RN) Approximation of Higher-Order Tensors, 2000.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sweet_keras.core.cost import Ranks
from sweet_keras.core.tucker import Factors, contract

Parts = Sequence[np.ndarray]  # of W, (n, D, E) each
_ROWS = 32  # of a slab of W that is taken to float64 at once


class Axis(NamedTuple):
    """An axis of W, by its singular values."""

    energies: np.ndarray  # (n,) squared singular values of the unfolding, largest first
    vectors: np.ndarray  # (n, n) a column for each of them


class Approximation(NamedTuple):
    """A Tucker product that is near W."""

    factors: Factors  # float32
    kept: float  # share of the energy (the sum of squares) of W
    sweeps: int  # of alternating least squares that were made


def hosvd(parts: Parts) -> tuple[Axis, Axis, Axis]:
    """The singular values and vectors of W along each axis."""
    first, second, third = (_axis(_gram(parts, axis)) for axis in range(3))
    return first, second, third


def hooi(
    parts: Parts,
    ranks: Ranks,
    axes: tuple[Axis, Axis, Axis],
    sweeps: int = 10,
    tolerance: float = 1e-5,
) -> Approximation:
    """The best Tucker product of some ranks that is found.

    Starts from the truncated HOSVD. In each sweep each axis gets the best vectors for those that
    the others have. An axis that is kept whole has the identity as its scaler, and with fewer than
    two shortened ones there is nothing to alternate between: the HOSVD is the best.

    The factors are balanced as new ones are (see `aligned_start`): the rows of each scaler have a
    mean square length of one.

    Args:
        parts: W.
        ranks: (r1, r2, r3), none above the length of its axis.
        axes: What `hosvd` gives.
        sweeps: The most that are made.
        tolerance: Stops when a sweep adds less than this share of the energy.

    Raises:
        ValueError: If a rank is above its axis.
    """
    lengths = tuple(len(axis.energies) for axis in axes)
    if any(not 0 < rank <= length for rank, length in zip(ranks, lengths, strict=True)):
        raise ValueError(f"`ranks` must be from 1 to {lengths}. Received: {tuple(ranks)}")
    short = [at for at in range(3) if ranks[at] < lengths[at]]
    total = float(axes[0].energies.sum()) or 1.0
    matrices: list[np.ndarray | None] = [None, None, None]
    for at in short:
        matrices[at] = axes[at].vectors[:, : ranks[at]].astype("float32")
    kept, made = 0.0, 0
    while len(short) > 1 and made < sweeps:
        before = kept
        for at in short:
            others = [None if other == at else matrices[other] for other in range(3)]
            axis = _axis(_gram([_project(parts, others)], at))
            matrices[at] = axis.vectors[:, : ranks[at]].astype("float32")
            kept = float(axis.energies[: ranks[at]].sum()) / total
        made += 1
        if kept - before < tolerance:
            break
    core = _project(parts, matrices)
    energy = float(np.sum(np.square(core), dtype="float64"))
    kept = min(1.0, energy / total) if short else 1.0
    return Approximation(_balanced(core, matrices, lengths), kept, made)


def block_errors(parts: Parts, factors: Factors) -> tuple[np.ndarray, np.ndarray]:
    """Squares of what a Tucker product misses of each block, and of the blocks themselves.

    Returns:
        Two arrays (N,), float64.
    """
    missed, energy, start = [], [], 0
    for part in parts:
        rows = factors.layer_scaler[start : start + len(part)]
        difference = part - contract(factors._replace(layer_scaler=rows), "xuv")
        missed.append(np.sum(np.square(difference), axis=(1, 2), dtype="float64"))
        energy.append(np.sum(np.square(part), axis=(1, 2), dtype="float64"))
        start += len(part)
    return np.concatenate(missed), np.concatenate(energy)


def _gram(parts: Parts, axis: int) -> np.ndarray:
    """The product of an unfolding of W with its transpose, float64."""
    rows, columns = parts[0].shape[1:]
    if axis == 0:
        count = sum(len(part) for part in parts)
        gram = np.zeros((count, count))
        for top in range(0, rows, _ROWS):
            slab = [part[:, top : top + _ROWS].reshape(len(part), -1) for part in parts]
            tall = np.concatenate(slab).astype("float64")
            gram += tall @ tall.T
        return gram
    gram = np.zeros((rows, rows) if axis == 1 else (columns, columns))
    for part in parts:
        for block in part:
            wide = block.astype("float64") if axis == 1 else block.T.astype("float64")
            gram += wide @ wide.T
    return gram


def _axis(gram: np.ndarray) -> Axis:
    energies, vectors = np.linalg.eigh(gram)
    vectors = vectors[:, ::-1]
    # The sign of a vector is arbitrary; so it is the same everywhere.
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0)[None], axis=0)
    return Axis(np.maximum(energies[::-1], 0.0), vectors * np.where(largest < 0, -1.0, 1.0))


def _project(parts: Parts, matrices: Sequence[np.ndarray | None]) -> np.ndarray:
    """W times the transpose of a matrix on each axis; `None` leaves an axis as it is."""
    layers, inputs, outputs = matrices
    rows, columns = parts[0].shape[1:]
    shape = (
        sum(len(part) for part in parts),
        rows if inputs is None else inputs.shape[1],
        columns if outputs is None else outputs.shape[1],
    )
    product, start = np.empty(shape, "float32"), 0
    for part in parts:
        inner = part if outputs is None else part @ outputs
        inner = inner if inputs is None else inputs.T @ inner
        product[start : start + len(part)] = inner
        start += len(part)
    if layers is None:
        return product
    mixed = layers.T @ product.reshape(shape[0], -1)
    return mixed.reshape(-1, *shape[1:])


def _balanced(
    core: np.ndarray, matrices: Sequence[np.ndarray | None], lengths: tuple[int, ...]
) -> Factors:
    scalers, scale = [], 1.0
    for matrix, length in zip(matrices, lengths, strict=True):
        if matrix is None:
            scalers.append(np.eye(length, dtype="float32"))
            continue
        gain = float(np.sqrt(length / matrix.shape[1]))
        scalers.append(np.float32(gain) * matrix)
        scale /= gain
    return Factors(np.float32(scale) * core, *scalers)
