"""Several matrices as one pair of bases and a diagonal for each."""

from __future__ import annotations

import numpy as np


def fit_shared_svd(
    matrices: np.ndarray, rank: int | None = None, iterations: int = 20
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fits ``W^(l) = U diag(S^(l)) V^T`` in the sense of least squares.

    Columns of U and of V are orthonormal, so that the best S^(l) for given bases is the diagonal of
    U^T W^(l) V, and the best U (or V) for the rest is the orthogonal factor of a polar
    decomposition. The two are alternated, from the singular vectors of the mean: no step makes the
    error larger. Matrices that have such bases in common are met exactly, and so is a single one.

    Args:
        matrices: (L, n, m).
        rank: Columns of the bases, r, at most min(n, m), which it is by default.
        iterations: Most alternations; it stops before when nothing changes.

    Returns:
        U (n, r), S (L, r), V (m, r), float64. Numbers in S can be negative.

    Raises:
        ValueError: If the rank is not from 1 to min(n, m).
    """
    matrices = np.asarray(matrices, "float64")
    most = min(matrices.shape[1:])
    rank = most if rank is None else rank
    if type(rank) is not int or not 1 <= rank <= most:
        raise ValueError(f"`rank` must be an integer from 1 to {most}. Received: {rank!r}")
    first, _, last = np.linalg.svd(matrices.mean(axis=0), full_matrices=False)
    first, last = first[:, :rank], last[:rank].T
    kept = 0.0
    for _ in range(iterations):
        diagonals = _diagonals(matrices, first, last)
        now = float((diagonals**2).sum())
        if now <= kept * (1 + 1e-9):
            break
        kept = now
        first = _polar(np.einsum("lnm,mr,lr->nr", matrices, last, diagonals, optimize=True))
        diagonals = _diagonals(matrices, first, last)
        last = _polar(np.einsum("lnm,nr,lr->mr", matrices, first, diagonals, optimize=True))
    return first, _diagonals(matrices, first, last), last


def _diagonals(matrices: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """(L, r)."""
    result: np.ndarray = np.einsum("nr,lnr->lr", first, matrices @ last)
    return result


def _polar(matrix: np.ndarray) -> np.ndarray:
    """The matrix of orthonormal columns that is nearest."""
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    result: np.ndarray = left @ right
    return result
