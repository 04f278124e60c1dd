import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras_checks import (
    check_config_round_trip,
    check_mixed_precision,
    check_saving,
    check_training_step,
    numpy,
    randomize,
)
from reference_vit import block as reference_block

from sweet_keras.core.size import ViTSize
from sweet_keras.layers.head_prefix import HeadPrefix
from sweet_keras.layers.transformer_block import TransformerBlock, block_stack
from sweet_keras.layers.windows import Windows, check_whole_grid, layer_windows

HEADS, HEAD_DIM = 3, 4
DIM = HEADS * HEAD_DIM
GRIDS = [((4, 6), 2), ((5, 7), 3), ((2, 7), 3), ((7, 4), 4), ((3, 4), 1)]


def windows_of(grid, window):
    """The token indices of each window, one loop over the tokens."""
    found = {}
    for row in range(grid[0]):
        for column in range(grid[1]):
            place = (row // window, column // window)
            found.setdefault(place, []).append(row * grid[1] + column)
    return list(found.values())


def make(grid, window, rng=None, **options):
    layer = TransformerBlock(HEADS, HEAD_DIM, grid=grid, window=window, **options)
    layer.build((None, grid[0] * grid[1], DIM))
    if rng is not None:
        randomize(layer, rng)
    return layer


def tokens(rng, grid, count=2):
    return rng.standard_normal((count, grid[0] * grid[1], DIM)).astype("float32")


@pytest.mark.parametrize(("grid", "window"), GRIDS)
def test_block_equals_a_loop_over_windows(rng, grid, window):
    """A block on the tokens of one window alone is what windowed attention means."""
    layer = make(grid, window, rng, layer_scale=0.5)
    arrays = {name: numpy(v)[None] for name, v in layer.named_weights().items()}
    x = tokens(rng, grid)
    expected = np.zeros_like(x)
    for image in range(len(x)):
        for inside in windows_of(grid, window):
            expected[image, inside] = reference_block(x[image, inside], arrays, 0, HEADS)
    np.testing.assert_allclose(numpy(layer(x)), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("window", [5, 6, 100])
def test_a_window_over_the_whole_grid_is_global_attention(rng, window):
    grid = (3, 5)
    layer, plain = make(grid, window, rng), make(grid, None)
    for name, variable in plain.named_weights().items():
        variable.assign(layer.named_weights()[name])
    x = tokens(rng, grid)
    np.testing.assert_array_equal(numpy(layer(x)), numpy(plain(x)))


@pytest.mark.parametrize(("grid", "window"), [((4, 6), 2), ((5, 7), 3)])
def test_a_window_sees_all_of_itself_and_nothing_else(rng, grid, window):
    layer = make(grid, window, rng)
    x = tokens(rng, grid, 1)
    before = numpy(layer(x))
    for inside in windows_of(grid, window):
        outside = np.setdiff1d(np.arange(x.shape[1]), inside)
        changed = x.copy()
        changed[:, outside] += 100 * rng.standard_normal((1, len(outside), DIM)).astype("float32")
        np.testing.assert_array_equal(numpy(layer(changed))[:, inside], before[:, inside])
        one = x.copy()
        one[:, inside[0]] += rng.standard_normal(DIM).astype("float32")
        differs = (numpy(layer(one)) != before).any(axis=(0, 2))
        np.testing.assert_array_equal(np.flatnonzero(differs), inside)


@pytest.mark.parametrize("heads", [1, 2])
def test_narrowing_by_mask_and_by_cut_agree(rng, heads):
    """With the kernels of a template, which come narrowed."""
    grid, window = (3, 4), 2
    wide, narrow = make(grid, window, rng), TransformerBlock(heads, HEAD_DIM, grid=grid, window=2)
    cut = heads * HEAD_DIM
    narrow.build((None, 12, cut))
    mask = np.arange(DIM) < cut
    for name, variable in wide.named_weights().items():
        array = numpy(variable)
        if name.endswith("kernel"):
            rows, columns = (np.tile(mask, length // DIM) for length in array.shape)
            narrow.named_weights()[name].assign(array[rows][:, columns])
            variable.assign(array * rows[:, None] * columns)
        else:
            narrow.named_weights()[name].assign(array[..., :cut])
    x = tokens(rng, grid) * mask
    prefix = HeadPrefix(HEADS, HEAD_DIM, keras.ops.convert_to_tensor(heads))
    masked = numpy(wide(x, prefix=prefix))
    np.testing.assert_allclose(masked[..., :cut], numpy(narrow(x[..., :cut])), atol=1e-5, rtol=1e-5)
    np.testing.assert_array_equal(masked[..., cut:], 0)


# Each shape would be compiled on its own by JAX; blocks with windows are tested on all backends.
@pytest.mark.once
@settings(max_examples=25)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 10), st.integers(1, 3))
def test_partition_holds_each_token_once(height, width, window, batch):
    x = 1.0 + np.arange(batch * height * width * 2, dtype="float32")
    x = x.reshape(batch, height * width, 2)
    windows = Windows((height, width), window)
    parts = numpy(windows.partition(x))
    assert parts.shape[1] == windows.size == min(window, height) * min(window, width)
    expected = windows_of((height, width), window)
    assert len(parts) == batch * len(expected)
    mask = windows.mask(keras.ops.convert_to_tensor(x))
    real = np.ones(parts.shape[:2], bool) if mask is None else numpy(mask)[:, 0, 0]
    for index, (part, inside) in enumerate(zip(parts, expected * batch, strict=True)):
        np.testing.assert_array_equal(part[real[index]], x[index // len(expected), inside])
        np.testing.assert_array_equal(part[~real[index]], 0)
    np.testing.assert_array_equal(numpy(windows.merge(parts)), x)
    assert (mask is None) == (height % windows.sides[0] == 0 and width % windows.sides[1] == 0)


def test_global_blocks_end_equal_subsets():
    def everywhere(depth, count):
        return [i for i, window in enumerate(layer_windows(depth, 7, count)) if window is None]

    assert everywhere(12, 4) == [2, 5, 8, 11]  # ViT-B in ViTDet
    assert everywhere(24, 4) == [5, 11, 17, 23]  # ViT-L
    assert everywhere(12, 2) == [5, 11]
    assert everywhere(3, 4) == everywhere(3, 3) == [0, 1, 2]
    assert everywhere(3, 0) == []
    assert layer_windows(3, None, 1) == [None] * 3
    for depth in range(1, 14):
        for count in range(1, depth + 1):
            gaps = np.diff([-1, *everywhere(depth, count)])
            assert len(gaps) == count
            assert gaps.sum() == depth
            assert gaps.max() - gaps.min() <= 1


def test_blocks_of_a_stack_have_their_windows():
    blocks = block_stack(ViTSize(4, 1, 4), grid=(4, 4), window=2, global_blocks=2)
    assert [block.window for block in blocks] == [2, None, 2, None]
    assert [block.window for block in block_stack(ViTSize(2, 1, 4))] == [None, None]


def test_layer_check(rng, tmp_path):
    grid = (3, 5)
    layer = make(grid, 2, rng, name="block")
    check_config_round_trip(layer)
    old = {k: v for k, v in layer.get_config().items() if k not in ("grid", "window")}
    assert TransformerBlock.from_config(old).windows is None
    x = tokens(rng, grid, 4)
    inputs = keras.Input((15, DIM))
    model = keras.Model(inputs, layer(inputs))
    assert model.output_shape == (None, 15, DIM)
    assert len(layer.weights) == len(make(grid, None).weights)
    check_saving(model, x, tmp_path)
    check_training_step(model, x, rng.standard_normal(x.shape).astype("float32"))
    predicted = model.predict(x, batch_size=3, verbose=0)
    np.testing.assert_allclose(predicted, numpy(layer(x)), atol=1e-5)

    def fixed(policy):
        return make(grid, 2, np.random.default_rng(0), dtype=policy)

    check_mixed_precision(fixed, x)


@pytest.mark.parametrize("window", [0, -1, 2.0, True, "4"])
def test_bad_windows(window):
    with pytest.raises(ValueError, match=r"`window` must be a positive integer.* Received: "):
        TransformerBlock(HEADS, HEAD_DIM, grid=(4, 4), window=window)


def test_bad_arguments():
    with pytest.raises(ValueError, match="`window` needs the `grid` of the tokens"):
        TransformerBlock(HEADS, HEAD_DIM, window=2)
    with pytest.raises(ValueError, match=r"the 12 tokens of the grid \(3, 4\). Received: .*13"):
        TransformerBlock(HEADS, HEAD_DIM, grid=(3, 4), window=2).build((None, 13, DIM))
    for count in (-1, 2.0, None):
        with pytest.raises(ValueError, match="`global_blocks` must be an integer, 0 or more"):
            layer_windows(3, 2, count)
    with pytest.raises(ValueError, match=r"`order` must be None.*window=2.*\(1, 3\)"):
        check_whole_grid(2, np.zeros((1, 3)))
