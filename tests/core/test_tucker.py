"""The Tucker product against its definition, tensorly, and the built W."""

import itertools

import numpy as np
import pytest
import tensorly

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
