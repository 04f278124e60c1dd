"""Nested sin-cos positions: prefixes of heads see both axes at all scales."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweet_keras.core.positions import sincos_positions, van_der_corput

GRIDS = [(1, 1), (7, 7), (14, 14), (3, 11), (11, 3), (1, 9), (64, 2)]


def bit_reversed(index):
    digits = f"{index:b}"
    return int(digits[::-1], 2) / 2 ** len(digits)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 8, 100, 257])
def test_van_der_corput_reverses_the_bits(count):
    expected = [bit_reversed(index) for index in range(count)]
    np.testing.assert_array_equal(van_der_corput(count), expected)


@pytest.mark.parametrize("levels", range(1, 6))
def test_scales_of_every_prefix_are_spread_evenly(levels):
    """2^k groups have the frequencies 100^0, 100^(-1/2^k), 100^(-2/2^k) …"""
    groups = 2**levels
    table = sincos_positions((2, 1), 4 * groups)
    frequencies = np.arcsin(table[1, 0::4])  # sin of the frequency itself, at y = 1
    expected = 100.0 ** -(np.arange(groups) / groups)
    np.testing.assert_allclose(np.sort(frequencies)[::-1], expected, rtol=1e-5)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("dim", [1, 4, 10, 16])
def test_every_entry_by_its_formula(grid, dim):
    table = sincos_positions(grid, dim)
    assert table.shape == (grid[0] * grid[1], dim)
    assert table.dtype == np.float32
    for y, x, channel in np.ndindex(*grid, dim):
        group, which = divmod(channel, 4)
        frequency = 100.0 ** -bit_reversed(group)
        function = (math.sin, math.cos)[which % 2]
        expected = function((y, x)[which // 2] * frequency)
        assert table[y * grid[1] + x, channel] == pytest.approx(expected, abs=1e-6)


@given(st.tuples(st.integers(1, 9), st.integers(1, 9)), st.integers(1, 200), st.integers(1, 200))
def test_a_narrow_table_is_the_prefix_of_a_wide_one(grid, first, second):
    narrow, wide = sorted((first, second))
    np.testing.assert_array_equal(
        sincos_positions(grid, narrow), sincos_positions(grid, wide)[:, :narrow]
    )


@pytest.mark.parametrize("grid", [*GRIDS, (64, 64)])
@pytest.mark.parametrize("dim", [4, 8, 16])
def test_the_smallest_prefix_tells_all_positions_apart(grid, dim):
    """Also in half precision's resolution."""
    table = sincos_positions(grid, dim)
    rounded = np.round(table * 1024)
    assert len(np.unique(rounded, axis=0)) == grid[0] * grid[1]


@pytest.mark.parametrize("heads", [1, 2, 3, 5])
def test_every_head_prefix_sees_both_axes_equally(heads):
    table = sincos_positions((8, 8), 16 * heads).reshape(8, 8, -1)
    along_y = np.abs(np.diff(table, axis=0)).max(axis=(0, 1)) > 1e-3
    along_x = np.abs(np.diff(table, axis=1)).max(axis=(0, 1)) > 1e-3
    assert along_y.sum() == along_x.sum() == 8 * heads
    assert not (along_y & along_x).any()
