"""Shared bases against what they must satisfy, and against numpy's own decomposition."""

import numpy as np
import pytest

from sweet_keras.core.shared_svd import fit_shared_svd


def rebuilt(first, diagonals, last):
    return np.stack([first @ np.diag(row) @ last.T for row in diagonals])


@pytest.mark.parametrize("shape", [(5, 5), (4, 7), (7, 4)])
def test_common_bases_are_found(rng, shape):
    first, last = (np.linalg.qr(rng.standard_normal((side, 4)))[0] for side in shape)
    matrices = rebuilt(first, rng.standard_normal((3, 4)), last)
    found = fit_shared_svd(matrices)
    np.testing.assert_allclose(rebuilt(*found), matrices, atol=1e-8)


@pytest.mark.parametrize("rank", [1, 3, 5])
def test_one_matrix_is_truncated_as_by_its_own_decomposition(rng, rank):
    matrix = rng.standard_normal((5, 6))
    first, diagonals, last = fit_shared_svd(matrix[None], rank)
    u, s, v = np.linalg.svd(matrix, full_matrices=False)
    np.testing.assert_allclose(
        rebuilt(first, diagonals, last)[0], u[:, :rank] * s[:rank] @ v[:rank], atol=1e-9
    )


def test_more_alternations_never_fit_worse(rng):
    matrices = rng.standard_normal((3, 6, 8))
    errors = []
    for iterations in (0, 1, 2, 5, 20):
        found = fit_shared_svd(matrices, iterations=iterations)
        for basis in (found[0], found[2]):
            np.testing.assert_allclose(basis.T @ basis, np.eye(6), atol=1e-9)
        errors.append(((rebuilt(*found) - matrices) ** 2).sum())
    assert (np.diff(errors) <= 1e-9).all()
    assert errors[-1] < 0.95 * errors[0]


@pytest.mark.parametrize("rank", [0, 6, 2.0])
def test_bad_rank(rank):
    with pytest.raises(ValueError, match=rf"`rank` must be .* from 1 to 5. Received: {rank}"):
        fit_shared_svd(np.zeros((2, 5, 6)), rank)
