"""Widths by prefix and repetition, depths by maps, positions by interpolation."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sweet_keras.core import resize

LENGTHS = st.integers(1, 12)
DEPTHS = st.integers(1, 60)
SEEDS = st.integers(0, 2**32 - 1)


@given(LENGTHS, st.integers(1, 40), st.integers(0, 2), SEEDS)
def test_resize_width_takes_a_prefix_or_repeats(source, target, axis, seed):
    shape = [2, 3]
    shape.insert(axis, source)
    array = np.random.default_rng(seed).normal(size=shape).astype("float32")
    resized = np.moveaxis(resize.resize_width(array, axis, target), axis, 0)
    assert resized.dtype == np.float32
    assert len(resized) == target
    channels = np.moveaxis(array, axis, 0)
    for i in range(target):
        np.testing.assert_array_equal(resized[i], channels[i % source])


@given(LENGTHS, LENGTHS)
def test_a_prefix_is_cut_unchanged(source, target):
    array = np.arange(3 * source, dtype="float32").reshape(3, source)
    target = min(source, target)
    np.testing.assert_array_equal(resize.resize_width(array, 1, target), array[:, :target])
    np.testing.assert_array_equal(resize.resize_input_width(array, 1, target), array[:, :target])


@given(LENGTHS, st.integers(0, 30), SEEDS)
def test_repetition_keeps_a_linear_map(source, more, seed):
    """Whole multiples and others alike: each input is split among its copies."""
    rng = np.random.default_rng(seed)
    target = source + more
    x, kernel = rng.normal(size=(4, source)), rng.normal(size=(source, 5))
    wide_x = resize.resize_width(x, 1, target)
    wide_kernel = resize.resize_input_width(kernel, 0, target)
    assert wide_x.shape == (4, target)
    assert wide_kernel.shape == (target, 5)
    np.testing.assert_allclose(wide_x @ wide_kernel, x @ kernel, rtol=0, atol=1e-12)
    # Every output channel of the wider layer is an output channel of the narrow one.
    square = rng.normal(size=(source, source))
    wide = resize.resize_width(resize.resize_input_width(square, 0, target), 1, target)
    y, wide_y = x @ square, wide_x @ wide
    for i in range(target):
        np.testing.assert_allclose(wide_y[:, i], y[:, i % source], rtol=0, atol=1e-12)


def test_input_width_of_any_axis_keeps_the_dtype(rng):
    array = rng.normal(size=(2, 3, 4)).astype("float32")
    resized = resize.resize_input_width(array, 1, 7)  # copies: 3, 2, 2
    assert resized.dtype == np.float32
    for i, copies in enumerate([3, 2, 2, 3, 2, 2, 3]):
        np.testing.assert_allclose(resized[:, i], array[:, i % 3] / copies, rtol=1e-6)


@given(DEPTHS, DEPTHS, st.sampled_from(resize.DEPTH_MAPS))
@example(2, 50, "linear")  # 49 * (1 / 49) < 1
def test_depth_maps(source, target, kind):
    matrix = resize.depth_map(source, target, kind)
    assert matrix.shape == (target, source)
    assert (matrix >= 0).all()
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, rtol=1e-12)
    assert ((matrix != 0).sum(axis=1) <= (1 if kind == "nearest" else 2)).all()
    if kind == "nearest":
        assert (matrix.max(axis=1) == 1.0).all()
    positions = matrix @ np.arange(source)
    assert (np.diff(positions) >= 0).all()
    if target == 1:
        assert abs(positions[0] - (source - 1) / 2) <= 0.5 * (kind == "nearest")
    else:
        assert matrix[0, 0] == matrix[-1, -1] == 1.0  # exactly: first to first, last to last
    if target == source:
        np.testing.assert_array_equal(matrix, np.eye(source))


@given(DEPTHS, st.integers(2, 60))
@example(14, 47)  # 23 * (13 / 46) < 6.5
def test_depth_positions_in_whole_numbers(source, target):
    """Layer i stands at i (source - 1) / (target - 1); exact integers tell where rounding goes."""
    linear = resize.depth_map(source, target, "linear")
    nearest = resize.depth_map(source, target, "nearest")
    for i in range(target):
        below, rest = divmod(i * (source - 1), target - 1)
        assert linear[i, below] == pytest.approx(1 - rest / (target - 1), abs=1e-12)
        if rest:
            assert linear[i, below + 1] == pytest.approx(rest / (target - 1), abs=1e-12)
        assert nearest[i, below + (2 * rest >= target - 1)] == 1.0


@given(DEPTHS, DEPTHS)
def test_nearest_uses_as_many_layers_as_there_are(source, target):
    used = resize.depth_map(source, target, "nearest").any(axis=0).sum()
    assert used == min(source, target)


def test_published_sizes_keep_evenly_spaced_layers():
    kept = {target: resize.depth_map(12, target).argmax(axis=1).tolist() for target in (3, 6)}
    assert kept == {3: [0, 6, 11], 6: [0, 2, 4, 7, 9, 11]}
    np.testing.assert_allclose(
        resize.depth_map(3, 5, "linear"),
        [[1, 0, 0], [0.5, 0.5, 0], [0, 1, 0], [0, 0.5, 0.5], [0, 0, 1]],
    )


@pytest.mark.parametrize("kind", ["", "Nearest", "cubic", None, 0])
def test_unknown_depth_map_is_refused(kind):
    with pytest.raises(ValueError, match="`depth_map` must be one of nearest, linear") as caught:
        resize.depth_map(3, 2, kind)
    assert str(caught.value).endswith(f"Received: {kind!r}")


@pytest.mark.parametrize("shape", [(4,), (4, 3), (4, 3, 2)])
def test_resize_depth_mixes_layers(shape, rng):
    array = rng.normal(size=shape).astype("float32")
    matrix = rng.normal(size=(5, 4))
    resized = resize.resize_depth(array, matrix)
    assert resized.dtype == np.float32
    assert resized.shape == (5, *shape[1:])
    for target in range(5):
        expected = sum(matrix[target, source] * array[source] for source in range(4))
        np.testing.assert_allclose(resized[target], expected, rtol=1e-5, atol=1e-6)


def keys_cubic(distance):
    """Keys 1981, a = -0.5."""
    distance = abs(distance)
    if distance < 1:
        return 1.5 * distance**3 - 2.5 * distance**2 + 1
    if distance < 2:
        return -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    return 0.0


@settings(max_examples=30)
@given(st.integers(1, 16), st.integers(1, 16))
def test_interpolation_is_keys_stretched_to_the_coarser_grid(source, target):
    matrix = resize.interpolation_matrix(source, target)
    stretch = max(1.0, source / target)
    for i in range(target):
        centre = (i + 0.5) * source / target
        weights = [keys_cubic((j + 0.5 - centre) / stretch) for j in range(source)]
        np.testing.assert_allclose(matrix[i], np.array(weights) / sum(weights), atol=1e-12)


def test_interpolation_closed_forms():
    np.testing.assert_array_equal(resize.interpolation_matrix(5, 5), np.eye(5))
    doubled = resize.interpolation_matrix(8, 16)
    np.testing.assert_allclose(doubled[7, 2:6], [-0.0703125, 0.8671875, 0.2265625, -0.0234375])
    # A straight line stays straight away from the borders.
    line = resize.interpolation_matrix(12, 24) @ np.arange(12)
    np.testing.assert_allclose(line[4:-4], (np.arange(24)[4:-4] + 0.5) / 2 - 0.5, atol=1e-12)


GRIDS = [((4, 6), (8, 12)), ((8, 12), (4, 6)), ((7, 5), (3, 9)), ((14, 14), (16, 12))]


@pytest.mark.parametrize(("source", "target"), GRIDS)
def test_positions_agree_with_pillow(source, target, rng):
    image = pytest.importorskip("PIL.Image")
    table = rng.normal(size=(*source, 3)).astype("float32")
    resized = resize.resize_grid(table.reshape(-1, 3), source, target)
    assert resized.shape == (target[0] * target[1], 3)
    assert resized.dtype == np.float32
    for channel in range(3):
        plane = image.fromarray(np.ascontiguousarray(table[..., channel]))
        assert plane.mode == "F"
        expected = np.asarray(plane.resize(target[::-1], image.Resampling.BICUBIC))
        np.testing.assert_allclose(resized[:, channel].reshape(target), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("source", "target"), GRIDS)
def test_rows_and_columns_are_interpolated_apart(source, target, rng):
    by_row, by_column = rng.normal(size=source[0]), rng.normal(size=source[1])
    y, x = np.broadcast_arrays(by_row[:, None], by_column[None, :])
    table = np.stack([y, x, np.full(source, 3.0)], axis=-1).reshape(-1, 3)
    resized = resize.resize_grid(table, source, target).reshape(*target, 3)
    rows = resize.interpolation_matrix(source[0], target[0]) @ by_row
    columns = resize.interpolation_matrix(source[1], target[1]) @ by_column
    np.testing.assert_allclose(resized[..., 0], np.tile(rows, (target[1], 1)).T, atol=1e-12)
    np.testing.assert_allclose(resized[..., 1], np.tile(columns, (target[0], 1)), atol=1e-12)
    np.testing.assert_allclose(resized[..., 2], 3.0, rtol=1e-12)  # what is constant stays so


def test_the_same_grid_is_the_identity(rng):
    table = rng.normal(size=(12, 5)).astype("float32")
    np.testing.assert_array_equal(resize.resize_grid(table, (3, 4), [3, 4]), table)
    # The same number of patches in another arrangement is another grid.
    assert np.abs(resize.resize_grid(table, (3, 4), (4, 3)) - table).max() > 0.1
