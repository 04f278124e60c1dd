import numpy as np
import pytest

from sweet_keras.core import tucker
from sweet_keras.core.aligned_start import aligned_start
from sweet_keras.core.size import ViTSize

SIZE = ViTSize(4, 3, 4)


def test_with_full_ranks_the_product_is_the_core(rng):
    factors = aligned_start(SIZE, (48, 12, 12), rng)
    np.testing.assert_array_equal(tucker.contract(factors, "xuv"), factors.core)


def test_neighbouring_layers_share_matrices(rng):
    factors = aligned_start(SIZE, (24, 12, 12), rng)
    rows = factors.layer_scaler.reshape(4, 12, 2, 12)
    for layer in range(4):
        for block in range(12):
            row = rows[layer, block]
            assert row[layer // 2, block] > 0.9
            assert not (row == 0).any()  # and something of all others
    assert (rows[0] != rows[1]).all()


def test_channels_beyond_a_rank(rng):
    factors = aligned_start(SIZE, (48, 8, 5), rng)
    np.testing.assert_array_equal(factors.input_scaler[:8], np.eye(8))
    np.testing.assert_array_equal(factors.output_scaler[:5], np.eye(5))
    assert not (factors.output_scaler[5:] == 0).any()


@pytest.mark.parametrize("ranks", [(48, 12, 12), (24, 8, 5), (7, 3, 20), (60, 30, 30)])
def test_rows_have_length_one(rng, ranks):
    for scaler in aligned_start(SIZE, ranks, rng)[1:]:
        np.testing.assert_allclose(np.linalg.norm(scaler, axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("ratio", [4, 2])
def test_variance_of_each_kernel_is_xaviers(rng, ratio):
    size, blocks = ViTSize(2, 8, 8), 4 + 2 * ratio
    product = tucker.contract(aligned_start(size, (2 * blocks, 64, 64), rng, ratio), "xuv")
    variance = product.var(axis=(1, 2)).reshape(2, blocks)
    np.testing.assert_allclose(variance[:, :4], 2 / (64 + 64), rtol=0.1)
    np.testing.assert_allclose(variance[:, 4:], 2 / (64 + ratio * 64), rtol=0.1)
