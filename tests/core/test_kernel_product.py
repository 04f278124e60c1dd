"""Kernels straight from the factors, against sums over every index."""

import numpy as np
import pytest

from sweet_keras.core import tucker
from sweet_keras.core.blocks import Kernels, narrow_kernels
from sweet_keras.core.kernel_product import contract_halfway, contract_to_kernels

DEPTH, DIM = 3, 6
RANKS = ((5, 4, 3), (36, 6, 6), (1, 1, 1))


def random_factors(rng, ranks, ratio=4):
    shapes = (ranks, ((4 + 2 * ratio) * DEPTH, ranks[0]), (DIM, ranks[1]), (DIM, ranks[2]))
    return tucker.Factors(*(rng.standard_normal(shape) for shape in shapes))


def kernels_by_loops(factors, layer, ratio):
    """Kernels of one layer, put together block by block."""
    w = np.einsum("kpq,bk,ip,jq->bij", *factors)
    w = w.reshape(DEPTH, -1, DIM, DIM)[layer]
    inner, outer = w[4 : 4 + ratio], w[4 + ratio :]
    return Kernels(np.hstack(w[:3]), w[3], np.hstack(inner), np.vstack(outer))


@pytest.mark.parametrize("order", tucker.ORDERS)
@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize("ratio", [1, 4])
def test_kernels_of_every_layer(order, ranks, ratio, rng):
    factors = random_factors(rng, ranks, ratio)
    kernels = contract_to_kernels(factors, DEPTH, order)
    for layer in range(DEPTH):
        expected = kernels_by_loops(factors, layer, ratio)
        for kernel, wanted in zip(kernels, expected, strict=True):
            np.testing.assert_allclose(kernel[layer], wanted, atol=1e-12 * np.abs(wanted).max())


@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize("ratio", [1, 4])
def test_halves_lack_one_factor(ranks, ratio, rng):
    factors = random_factors(rng, ranks, ratio)
    halves = contract_halfway(factors, DEPTH)
    u, v = factors.input_scaler, factors.output_scaler
    for layer in range(DEPTH):
        half = Kernels(*(kernel[layer] for kernel in halves))
        found = Kernels(u @ half.qkv, u @ half.output, u @ half.mlp_in, half.mlp_out @ v.T)
        expected = kernels_by_loops(factors, layer, ratio)
        for kernel, wanted in zip(found, expected, strict=True):
            np.testing.assert_allclose(kernel, wanted, atol=1e-12 * np.abs(wanted).max())


def test_unknown_order_is_refused(rng):
    for order in ("uvw", "xu", ""):
        with pytest.raises(ValueError, match="`order` must be one of"):
            contract_to_kernels(random_factors(rng, (2, 2, 2)), DEPTH, order)


@pytest.mark.parametrize("ratio", [1, 4])
def test_narrow_kernels_are_those_of_cut_scalers(ratio, rng):
    factors = random_factors(rng, (5, 4, 3), ratio)
    whole = kernels_by_loops(factors, 1, ratio)
    narrow = narrow_kernels(whole, 2)
    cut = factors._replace(
        input_scaler=factors.input_scaler[:2], output_scaler=factors.output_scaler[:2]
    )
    expected = contract_to_kernels(cut, DEPTH, "xuv")
    for kernel, wanted in zip(narrow, expected, strict=True):
        np.testing.assert_allclose(kernel, wanted[1], atol=1e-12)
