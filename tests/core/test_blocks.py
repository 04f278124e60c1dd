"""Where the 12 blocks of a layer lie in its kernels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweet_keras.core import blocks

LEADS = st.lists(st.integers(1, 3), max_size=2).map(tuple)


def numbered(*shape):
    """No two entries are equal, so that an element found is an element identified."""
    return np.arange(np.prod(shape), dtype="float64").reshape(shape)


@settings(max_examples=30)
@given(LEADS, st.integers(1, 4), st.integers(1, 5))
def test_every_element_sits_where_the_docstring_says(lead, dim, ratio):
    w = numbered(*lead, 4 + 2 * ratio, dim, dim)
    kernels = blocks.blocks_to_kernels(w)
    assert kernels.qkv.shape == (*lead, dim, 3 * dim)
    assert kernels.output.shape == (*lead, dim, dim)
    assert kernels.mlp_in.shape == (*lead, dim, ratio * dim)
    assert kernels.mlp_out.shape == (*lead, ratio * dim, dim)
    for at in np.ndindex(*lead):
        for i, j in np.ndindex(dim, dim):
            for n in range(3):  # query, key, value
                assert kernels.qkv[at][i, n * dim + j] == w[at][n, i, j]
            assert kernels.output[at][i, j] == w[at][3, i, j]
            for n in range(ratio):
                assert kernels.mlp_in[at][i, n * dim + j] == w[at][4 + n, i, j]
                assert kernels.mlp_out[at][n * dim + i, j] == w[at][4 + ratio + n, i, j]


@settings(max_examples=30)
@given(LEADS, st.integers(1, 5), st.integers(1, 5))
def test_kernels_and_blocks_are_inverses(lead, dim, ratio):
    w = numbered(*lead, 4 + 2 * ratio, dim, dim)
    np.testing.assert_array_equal(blocks.kernels_to_blocks(blocks.blocks_to_kernels(w)), w)
    kernels = blocks.Kernels(
        numbered(*lead, dim, 3 * dim),
        -numbered(*lead, dim, dim),
        0.5 + numbered(*lead, dim, ratio * dim),
        0.25 + numbered(*lead, ratio * dim, dim),
    )
    again = blocks.blocks_to_kernels(blocks.kernels_to_blocks(kernels))
    for kernel, expected in zip(again, kernels, strict=True):
        np.testing.assert_array_equal(kernel, expected)


def test_products_are_the_sums_over_blocks(rng):
    dim = 5
    w = rng.normal(size=(12, dim, dim))
    x, hidden = rng.normal(size=(7, dim)), rng.normal(size=(7, 4, dim))
    kernels = blocks.blocks_to_kernels(w)
    parts = np.split(x @ kernels.qkv, 3, axis=1)
    for part, block in zip(parts, w[:3], strict=True):
        np.testing.assert_allclose(part, np.einsum("bi,ij->bj", x, block), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(x @ kernels.output, x @ w[3], rtol=1e-12, atol=1e-12)
    parts = np.split(x @ kernels.mlp_in, 4, axis=1)
    for part, block in zip(parts, w[4:8], strict=True):
        np.testing.assert_allclose(part, np.einsum("bi,ij->bj", x, block), rtol=1e-12, atol=1e-12)
    expected = sum(hidden[:, n] @ w[8 + n] for n in range(4))
    y = hidden.reshape(7, 4 * dim) @ kernels.mlp_out
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("lead", [(), (2,), (2, 3)])
def test_rectangular_blocks_side_by_side_and_stacked(lead):
    w = numbered(*lead, 3, 2, 4)  # factors C (n, r2, r3) are not square
    wide, tall = blocks.side_by_side(w), blocks.stacked(w)
    assert wide.shape == (*lead, 2, 12)
    assert tall.shape == (*lead, 6, 4)
    for n in range(3):
        np.testing.assert_array_equal(wide[..., 4 * n : 4 * n + 4], w[..., n, :, :])
        np.testing.assert_array_equal(tall[..., 2 * n : 2 * n + 2, :], w[..., n, :, :])


@pytest.mark.parametrize("ratio", [1, 3, 4])
def test_names_and_slices_tell_the_same_order(ratio):
    names, count = blocks.block_names(ratio), blocks.blocks_per_layer(ratio)
    assert len(names) == count == 4 + 2 * ratio
    assert names[blocks.QKV] == ("query", "key", "value")
    assert names[blocks.OUTPUT] == "output"
    mlp_in, mlp_out = blocks.mlp_slices(count)
    assert names[mlp_in] == tuple(f"mlp_in_{i}" for i in range(ratio))
    assert names[mlp_out] == tuple(f"mlp_out_{i}" for i in range(ratio))
