"""The Tucker product against its definition, tensorly, and the built W."""

import itertools

import numpy as np
import pytest
import tensorly
from hypothesis import given, settings
from hypothesis import strategies as st

from sweet_keras.core import tucker

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


def random_factors(rng, n, dim, ranks, dtype="float64"):
    shapes = (ranks, (n, ranks[0]), (dim, ranks[1]), (dim, ranks[2]))
    return tucker.Factors(*(rng.normal(size=shape).astype(dtype) for shape in shapes))


def assert_close(actual, expected, dtype="float64"):
    assert actual.shape == expected.shape
    assert actual.dtype == np.dtype(dtype)
    assert np.abs(actual - expected).max() <= TOLERANCE[dtype] * np.abs(expected).max()


def product_by_loops(factors):
    """W[b, i, j] = sum over k, p, q of X[b, k] G[k, p, q] U[i, p] V[j, q], in float64."""
    core, x, u, v = (np.asarray(factor, "float64") for factor in factors)
    w = np.zeros((len(x), len(u), len(v)))
    for k, p, q in np.ndindex(*core.shape):
        w += core[k, p, q] * x[:, k, None, None] * u[None, :, p, None] * v[None, None, :, q]
    return w


def test_six_orders_are_all_orders():
    assert sorted(tucker.ORDERS) == sorted(map("".join, itertools.permutations("uvx")))


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("order", tucker.ORDERS)
@pytest.mark.parametrize("ranks", [(3, 4, 5), (9, 2, 7), (1, 1, 1), (2, 8, 3)])
def test_contract_is_the_definition(order, dtype, ranks, rng):
    factors = random_factors(rng, 7, 6, ranks, dtype)
    assert_close(tucker.contract(factors, order), product_by_loops(factors), dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("order", tucker.ORDERS)
def test_contract_agrees_with_tensorly(order, dtype, rng):
    factors = random_factors(rng, 24, 12, (10, 7, 5), dtype)
    core, *matrices = (np.asarray(factor, "float64") for factor in factors)
    by_modes = tensorly.tenalg.multi_mode_dot(core, matrices)
    w = tucker.contract(factors, order)
    assert_close(w, by_modes, dtype)
    assert_close(w, tensorly.tucker_to_tensor((core, matrices)), dtype)


def test_a_block_is_u_c_v(rng):
    factors = random_factors(rng, 4, 6, (3, 5, 2))
    slices = tucker.contract_layers(factors.core, factors.layer_scaler)
    assert slices.shape == (4, 5, 2)
    for b in range(4):
        expected = sum(factors.layer_scaler[b, k] * factors.core[k] for k in range(3))
        assert_close(slices[b], expected)
        block = factors.input_scaler @ expected @ factors.output_scaler.T
        assert_close(tucker.contract(factors, "xuv")[b], block)


@pytest.mark.parametrize("order", ["", "x", "xu", "uvw", "xuvx", "XUV", "xxu", "x,u,v", None, 3])
def test_unknown_order_is_refused(order, rng):
    with pytest.raises(ValueError, match="`order` must be one of xvu") as caught:
        tucker.contract(random_factors(rng, 2, 2, (1, 1, 1)), order)
    assert str(caught.value).endswith(f"Received: {order!r}")


@settings(max_examples=40)
@given(
    lead=st.lists(st.integers(1, 4), max_size=3).map(tuple),
    n=st.integers(1, 4),
    dim=st.integers(1, 6),
    ranks=st.tuples(st.integers(1, 4), st.integers(1, 8), st.integers(1, 8)),
    seed=st.integers(0, 2**32 - 1),
)
def test_applying_the_factors_is_multiplying_by_the_kernel(lead, n, dim, ranks, seed):
    rng = np.random.default_rng(seed)
    factors = random_factors(rng, n, dim, ranks)
    slices = np.einsum("nk,kpq->npq", factors.layer_scaler, factors.core)
    w = product_by_loops(factors)

    x = rng.normal(size=(*lead, dim))
    y = tucker.apply_side_by_side(x, slices, factors)
    expected = x @ np.concatenate(list(w), axis=1)
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-12 * (1 + np.abs(expected).max()))
    assert y.shape == (*lead, n * dim)

    x = rng.normal(size=(*lead, n * dim))
    y = tucker.apply_stacked(x, slices, factors)
    expected = x @ np.concatenate(list(w), axis=0)
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-12 * (1 + np.abs(expected).max()))
    assert y.shape == (*lead, dim)


def test_applying_in_float32(rng):
    factors = random_factors(rng, 4, 12, (3, 5, 7), "float32")
    slices = tucker.contract_layers(factors.core, factors.layer_scaler)
    w = product_by_loops(factors)
    x = rng.normal(size=(3, 6, 12)).astype("float32")
    y = tucker.apply_side_by_side(x, slices, factors)
    assert_close(y, x.astype("float64") @ np.concatenate(list(w), axis=1), "float32")
    x = rng.normal(size=(3, 6, 48)).astype("float32")
    y = tucker.apply_stacked(x, slices, factors)
    assert_close(y, x.astype("float64") @ np.concatenate(list(w), axis=0), "float32")


def test_no_tokens_give_no_tokens(rng):
    factors = random_factors(rng, 4, 6, (3, 5, 2))
    slices = tucker.contract_layers(factors.core, factors.layer_scaler)
    assert tucker.apply_side_by_side(np.zeros((0, 6)), slices, factors).shape == (0, 24)
    assert tucker.apply_stacked(np.zeros((2, 0, 24)), slices, factors).shape == (2, 0, 6)


class UnknownBatch:
    """Wraps an array and hides its first size, as a symbolic tensor does."""

    def __init__(self, array):
        self.array = array
        self.shape = (None, *array.shape[1:])


class Reveal:
    """numpy that takes the symbolic input."""

    reshape = staticmethod(lambda x, shape: np.reshape(getattr(x, "array", x), shape))
    matmul = staticmethod(lambda x, y: np.matmul(getattr(x, "array", x), y))
    swapaxes = staticmethod(np.swapaxes)
    transpose = staticmethod(np.transpose)


def test_an_unknown_batch_size_is_inferred(rng):
    factors = random_factors(rng, 4, 6, (3, 5, 2))
    slices = tucker.contract_layers(factors.core, factors.layer_scaler)
    w = product_by_loops(factors)
    x = rng.normal(size=(3, 2, 6))
    y = tucker.apply_side_by_side(UnknownBatch(x), slices, factors, Reveal)
    assert_close(y, x @ np.concatenate(list(w), axis=1))
    x = rng.normal(size=(3, 2, 24))
    y = tucker.apply_stacked(UnknownBatch(x), slices, factors, Reveal)
    assert_close(y, x @ np.concatenate(list(w), axis=0))
