"""Ranks for a given W, from its singular values.

What truncated HOSVD misses of the energy of W is at most the sum of what each axis leaves out (De
Lathauwer et al., 2000). So of all ranks that keep to a limit the best are found by looking at
each pair of the first two; the third follows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sweet_keras.core.cost import Ranks


def factor_parameters(lengths: Sequence[int], ranks: Sequence[int]) -> int:
    """Numbers of a Tucker product: G and the three scalers."""
    r1, r2, r3 = ranks
    return r1 * r2 * r3 + sum(n * r for n, r in zip(lengths, ranks, strict=True))


def ranks_for_energy(energies: Sequence[np.ndarray], kept: float) -> Ranks:
    """The ranks with the fewest parameters that are sure to keep a share of the energy.

    Args:
        energies: Squared singular values of each axis, largest first.
        kept: The share, in (0, 1].

    Raises:
        ValueError: If it is none.
    """
    if isinstance(kept, bool) or not isinstance(kept, int | float) or not 0.0 < kept <= 1.0:
        raise ValueError(f"`energy` must be in (0, 1]. Received: {kept!r}")
    first, second, third = (_missed(axis) for axis in energies)
    lengths = (len(first), len(second), len(third))
    left = (1.0 - kept) - first[:, None] - second[None, :]
    # `third` falls, and the last of it is zero.
    at = np.searchsorted(-third, -np.maximum(left, 0.0))
    r1, r2, r3 = _grid(lengths, at)
    stored = np.where(left >= 0.0, _parameters(lengths, r1, r2, r3), np.inf)
    return _at(stored.argmin(), r1, r2, r3)


def ranks_for_parameters(energies: Sequence[np.ndarray], budget: int) -> Ranks:
    """The ranks that miss the least energy, by the bound, within a number of parameters.

    Args:
        energies: Squared singular values of each axis, largest first.
        budget: Numbers that G and the scalers may have together.

    Raises:
        ValueError: If not even ranks of one fit.
    """
    first, second, third = (_missed(axis) for axis in energies)
    n1, n2, n3 = lengths = (len(first), len(second), len(third))
    r1, r2 = np.arange(1.0, n1 + 1)[:, None], np.arange(1.0, n2 + 1)[None, :]
    room = (budget - n1 * r1 - n2 * r2) // (r1 * r2 + n3)
    at = np.clip(room, 1, n3).astype(int) - 1
    missed = np.where(room >= 1, first[:, None] + second[None, :] + third[at], np.inf)
    if np.isinf(missed).all():
        raise ValueError(
            "`max_parameters` must leave room for ranks of one, "
            f"{factor_parameters(lengths, (1, 1, 1))} numbers. Received: room for {budget}"
        )
    return _at(missed.argmin(), *_grid(lengths, at))


def _missed(energies: np.ndarray) -> np.ndarray:
    """The share of the energy that ranks 1, 2, .. leave out."""
    total = energies.sum()
    if not total:
        return np.zeros(len(energies))
    missed: np.ndarray = np.maximum(1.0 - np.cumsum(energies) / total, 0.0)
    missed[-1] = 0.0
    return missed


def _grid(lengths: Sequence[int], at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    first = np.arange(1, lengths[0] + 1)[:, None]
    second = np.arange(1, lengths[1] + 1)[None, :]
    r1, r2, r3 = np.broadcast_arrays(first, second, at + 1)
    return r1, r2, r3


def _parameters(
    lengths: Sequence[int], r1: np.ndarray, r2: np.ndarray, r3: np.ndarray
) -> np.ndarray:
    n1, n2, n3 = lengths
    result: np.ndarray = r1.astype("float64") * r2 * r3 + n1 * r1 + n2 * r2 + n3 * r3
    return result


def _at(index: np.intp, r1: np.ndarray, r2: np.ndarray, r3: np.ndarray) -> Ranks:
    return int(r1.flat[index]), int(r2.flat[index]), int(r3.flat[index])
