"""The factors of a given W against tensorly and against numpy's own singular values."""

import numpy as np
import pytest
import tensorly
from tensorly.decomposition import tucker

from sweet_keras.core.hooi import block_errors, hooi, hosvd

RANKS = [(9, 15, 15), (5, 10, 20), (24, 10, 12), (1, 1, 1), (7, 18, 20), (24, 18, 5)]


@pytest.fixture
def w(rng):
    """(24, 18, 20): few matrices mixed, and noise."""
    mixed = np.einsum("kij,nk->nij", rng.normal(size=(6, 18, 20)), rng.normal(size=(24, 6)))
    return (mixed + 0.5 * rng.normal(size=mixed.shape)).astype("float32")


def parts_of(w):
    return [w[:9], w[9:10], w[10:]]


def product(factors):
    return np.einsum("kpq,bk,ip,jq->bij", *(np.asarray(f, "float64") for f in factors))


def relative_error(w, near):
    return np.linalg.norm(w - near) / np.linalg.norm(w)


def test_singular_values_of_the_unfoldings(w):
    for at, axis in enumerate(hosvd(parts_of(w))):
        unfolding = np.moveaxis(w, at, 0).reshape(w.shape[at], -1).astype("float64")
        left, values, _ = np.linalg.svd(unfolding, full_matrices=False)
        np.testing.assert_allclose(axis.energies, values**2, rtol=1e-9)
        overlaps = np.abs(left.T @ axis.vectors)
        np.testing.assert_allclose(overlaps, np.eye(w.shape[at]), atol=1e-5)


@pytest.mark.parametrize("ranks", RANKS)
def test_no_worse_than_tensorly(w, ranks):
    made = hooi(parts_of(w), ranks, hosvd(parts_of(w)))
    assert made.factors.core.shape == ranks
    assert {factor.dtype for factor in made.factors} == {np.dtype("float32")}
    error = relative_error(w, product(made.factors))
    theirs = tucker(tensorly.tensor(w.astype("float64")), rank=list(ranks), n_iter_max=100)
    assert error < 1.001 * relative_error(w, tensorly.tucker_to_tensor(theirs))
    np.testing.assert_allclose(made.kept, 1 - error**2, atol=1e-5)


def test_sweeps_improve_on_the_truncated_hosvd(w):
    axes = hosvd(parts_of(w))
    ranks = (5, 6, 6)
    start = hooi(parts_of(w), ranks, axes, sweeps=0)
    vectors = [axis.vectors[:, :rank] for axis, rank in zip(axes, ranks, strict=True)]
    core = np.einsum("bij,bk,ip,jq->kpq", w, *vectors)
    np.testing.assert_allclose(start.kept, np.sum(core**2) / np.sum(w.astype("float64") ** 2))
    made = hooi(parts_of(w), ranks, axes, sweeps=20, tolerance=0.0)
    assert made.kept > start.kept + 1e-3
    assert start.sweeps == 0 < made.sweeps


def test_whole_axes_are_left_alone(w):
    made = hooi(parts_of(w), w.shape, hosvd(parts_of(w)))
    np.testing.assert_array_equal(made.factors.core, w)
    for scaler, length in zip(made.factors[1:], w.shape, strict=True):
        np.testing.assert_array_equal(scaler, np.eye(length))
    one = hooi(parts_of(w), (24, 10, 20), hosvd(parts_of(w)))
    np.testing.assert_array_equal(one.factors.output_scaler, np.eye(20))
    assert one.sweeps == 0


@pytest.mark.parametrize("ranks", RANKS)
def test_rows_of_the_scalers_have_a_mean_square_of_one(w, ranks):
    for scaler in hooi(parts_of(w), ranks, hosvd(parts_of(w))).factors[1:]:
        np.testing.assert_allclose(np.sum(np.square(scaler), axis=1).mean(), 1, rtol=1e-4)


def test_errors_of_the_blocks(w):
    factors = hooi(parts_of(w), (5, 6, 6), hosvd(parts_of(w))).factors
    missed, energy = block_errors(parts_of(w), factors)
    near = product(factors)
    for b in range(24):
        np.testing.assert_allclose(missed[b], np.sum((w[b] - near[b]) ** 2), rtol=1e-4)
        np.testing.assert_allclose(energy[b], np.sum(w[b].astype("float64") ** 2), rtol=1e-6)


def test_the_same_factors_every_time(w):
    first, second = (hooi(parts_of(w), (5, 6, 6), hosvd(parts)).factors for parts in (
        parts_of(w), [w]))  # fmt: skip
    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_zeros(rng):
    parts = [np.zeros((4, 3, 3), "float32")]
    made = hooi(parts, (2, 2, 2), hosvd(parts))
    np.testing.assert_array_equal(product(made.factors), 0)


@pytest.mark.parametrize("ranks", [(25, 18, 20), (0, 1, 1), (1, 19, 1), (1, 1, -1)])
def test_ranks_beyond_an_axis_are_refused(w, ranks):
    with pytest.raises(ValueError, match=r"`ranks` must be from 1 to \(24, 18, 20\)\. Received"):
        hooi(parts_of(w), ranks, hosvd(parts_of(w)))
