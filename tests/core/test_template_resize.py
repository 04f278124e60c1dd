"""Other sizes made from a template."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from template_factory import numpy_kernels, numpy_vit, random_template, template_shapes

from sweet_keras.core.resize import interpolation_matrix
from sweet_keras.core.size import ViTSize

SOURCE = {"size": "L3H2", "head_dim": 4, "image_shape": (8, 12, 2), "patch_size": 4}
DECODER = ViTSize(1, 2, 4)
# Arrays with channels on their last axis, channels on their first, and one entry for each layer.
PER_LAYER = (
    *("norm1/scale", "norm1/bias", "qkv/bias", "output/bias", "norm2/scale", "norm2/bias"),
    *("mlp_in/bias", "mlp_out/bias", "layer_scale1", "layer_scale2"),
)
LAST_ONLY = ("patch/kernel", "patch/bias", "class_token", "final_norm/scale", "final_norm/bias")


def nearest_layers(source, target):
    """Evenly spaced, halves rounded up; a single layer from the middle."""
    if target == 1:
        return [source // 2]
    return [(2 * i * (source - 1) + target - 1) // (2 * (target - 1)) for i in range(target)]


@settings(max_examples=40)
@given(
    depth=st.integers(1, 7),
    num_heads=st.integers(1, 7),
    patches=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    depth_map=st.sampled_from(["nearest", "linear"]),
    flags=st.fixed_dictionaries({"class_token": st.booleans(), "layer_scale": st.booleans()}),
    form=st.fixed_dictionaries(
        {"register_tokens": st.sampled_from([0, 2]), "mlp_ratio": st.sampled_from([4, 2])}
    ),
    decoder=st.sampled_from([None, DECODER]),
)
def test_every_size_and_image_gives_a_valid_template(
    depth, num_heads, patches, depth_map, flags, form, decoder
):
    record = {"dataset": "birds"}
    template = random_template(
        np.random.default_rng(0), **SOURCE, **flags, **form, decoder=decoder, record=record,
        pixel_mean=(1.0, 2.0), pixel_std=(3.0,), positions="learned", norm_epsilon=1e-5,
        activation="gelu_tanh",
    )  # fmt: skip
    image_shape = (4 * patches[0], 4 * patches[1], 2)
    resized = template.resize(f"L{depth}H{num_heads}", image_shape, depth_map)
    assert resized.size == ViTSize(depth, num_heads, 4)
    assert resized.image_shape == image_shape
    assert resized.arrays["core"] is template.arrays["core"]
    shapes = {name: array.shape for name, array in resized.arrays.items()}
    assert shapes == template_shapes(
        resized.size, (5, 6, 7), image_shape, 4, **flags, **form, decoder=decoder
    )
    for name, array in resized.arrays.items():
        assert array.dtype == np.float32
        assert array.flags.c_contiguous
        if name.startswith("decoder/") and "embed/kernel" not in name and "posit" not in name:
            np.testing.assert_array_equal(array, template.arrays[name])
    for field in ("positions", "patch_size", "pixel_mean", "pixel_std", "record", "decoder"):
        assert getattr(resized, field) == getattr(template, field)
    for field in ("register_tokens", "norm_epsilon", "mlp_ratio", "activation"):
        assert getattr(resized, field) == getattr(template, field)


def test_the_same_size_is_the_same_template(rng):
    template = random_template(rng, **SOURCE, decoder=DECODER)
    for resized in (template.resize("L3H2"), template.resize(template.size, (8, 12, 2), "linear")):
        for name, array in template.arrays.items():
            np.testing.assert_array_equal(resized.arrays[name], array)


@pytest.mark.parametrize("num_heads", [1, 2, 3, 4])
def test_a_narrower_w_is_a_prefix_of_the_wide_one(num_heads, rng):
    template = random_template(rng, "L2H4", head_dim=3)
    dim = 3 * num_heads
    kernels = template.resize(f"L2H{num_heads}").kernels()
    factors = (template.arrays[name].astype("float64") for name in
               ("core", "layer_scaler", "input_scaler", "output_scaler"))  # fmt: skip
    wide = np.einsum("kpq,bk,ip,jq->bij", *factors).reshape(2, 12, 12, 12)
    w = wide[:, :, :dim, :dim]
    tolerance = {"rtol": 0, "atol": 1e-5 * np.abs(wide).max()}
    for n in range(3):
        cut = kernels.qkv[..., n * dim : (n + 1) * dim]
        np.testing.assert_allclose(cut, w[:, n], **tolerance)
    np.testing.assert_allclose(kernels.output, w[:, 3], **tolerance)
    for n in range(4):
        cut = slice(n * dim, (n + 1) * dim)
        np.testing.assert_allclose(kernels.mlp_in[:, :, cut], w[:, 4 + n], **tolerance)
        np.testing.assert_allclose(kernels.mlp_out[:, cut], w[:, 8 + n], **tolerance)


@pytest.mark.parametrize("num_heads", [3, 4, 5, 6])
def test_a_wider_w_repeats_channels_and_shares_inputs(num_heads, rng):
    template = random_template(rng, **SOURCE)  # 8 channels
    dim = 4 * num_heads
    w, wide = numpy_kernels(template), numpy_kernels(template.resize(f"L3H{num_heads}"))
    assert wide.shape == (3, 12, dim, dim)
    copies = [sum(k % 8 == i for k in range(dim)) for i in range(8)]
    for i, j in np.ndindex(dim, dim):
        expected = w[..., i % 8, j % 8] / copies[i % 8]
        np.testing.assert_allclose(wide[..., i, j], expected, rtol=0, atol=1e-5 * np.abs(w).max())


@pytest.mark.parametrize("num_heads", [1, 2, 5])
@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_the_rest_follows_heads_and_layers(depth, num_heads, rng):
    template = random_template(rng, **SOURCE, class_token=True, layer_scale=True, decoder=DECODER)
    resized = template.resize(f"L{depth}H{num_heads}")
    channels = [i % 8 for i in range(4 * num_heads)]
    layers = nearest_layers(3, depth)
    for name in PER_LAYER:
        expected = np.stack([template.arrays[name][layer][..., channels] for layer in layers])
        np.testing.assert_array_equal(resized.arrays[name], expected, err_msg=name)
    for name in (*LAST_ONLY, "positions"):
        expected = template.arrays[name][..., channels]
        np.testing.assert_array_equal(resized.arrays[name], expected, err_msg=name)
    kernel = template.arrays["decoder/embed/kernel"]
    copies = np.array([channels.count(channel) for channel in channels])[:, None]
    np.testing.assert_allclose(
        resized.arrays["decoder/embed/kernel"], kernel[channels] / copies, rtol=1e-6
    )


@pytest.mark.parametrize("depth", [1, 2, 4, 7])
def test_nearest_layers_are_copied_whole(depth, rng):
    template = random_template(rng, **SOURCE)
    w = numpy_kernels(template)
    expected = w[nearest_layers(3, depth)]
    actual = numpy_kernels(template.resize(f"L{depth}H2"))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12)


def test_linear_depth_interpolates_layers(rng):
    """W is linear in X, so that mixing rows of X mixes kernels, block by block."""
    template = random_template(rng, **SOURCE)
    w = numpy_kernels(template)
    resized = template.resize("L5H2", depth_map="linear")
    expected = np.stack([w[0], (w[0] + w[1]) / 2, w[1], (w[1] + w[2]) / 2, w[2]])
    np.testing.assert_allclose(
        numpy_kernels(resized), expected, rtol=0, atol=1e-5 * np.abs(w).max()
    )
    bias = template.arrays["qkv/bias"]
    expected = [bias[0], (bias[0] + bias[1]) / 2, bias[1], (bias[1] + bias[2]) / 2, bias[2]]
    np.testing.assert_allclose(resized.arrays["qkv/bias"], expected, rtol=1e-6)


@pytest.mark.parametrize("image_shape", [(12, 8, 2), (4, 4, 2), (24, 20, 2)])
def test_positions_are_interpolated_over_the_grid(image_shape, rng):
    template = random_template(rng, **SOURCE, decoder=DECODER)
    resized = template.resize("L3H1", image_shape)
    rows, columns = image_shape[0] // 4, image_shape[1] // 4
    for name, channels in {"positions": 4, "decoder/positions": 8}.items():
        table = template.arrays[name].reshape(2, 3, -1)[..., :channels]
        by_rows, by_columns = interpolation_matrix(2, rows), interpolation_matrix(3, columns)
        actual = resized.arrays[name].reshape(rows, columns, channels)
        for y, x in np.ndindex(rows, columns):
            expected = sum(
                by_rows[y, i] * by_columns[x, j] * table[i, j] for i, j in np.ndindex(2, 3)
            )
            np.testing.assert_allclose(actual[y, x], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("class_token", [False, True])
@pytest.mark.parametrize("times", [2, 3])
def test_whole_multiples_of_the_width_keep_the_function(times, class_token, rng):
    form = {"register_tokens": 2, "mlp_ratio": 3, "norm_epsilon": 0.1, "activation": "gelu_tanh"}
    template = random_template(
        rng, **SOURCE, class_token=class_token, layer_scale=True, **(form if class_token else {})
    )
    patches = rng.normal(size=(6, 32))
    tokens = numpy_vit(template, patches)
    wide = numpy_vit(template.resize(f"L3H{2 * times}"), patches)
    assert tokens.std() > 0.1
    np.testing.assert_allclose(wide, np.tile(tokens, times), rtol=0, atol=1e-4)


def test_narrow_twice_is_narrow_once(rng):
    template = random_template(rng, "L3H6", head_dim=2, decoder=DECODER)
    once, twice = template.resize("L3H2"), template.resize("L3H4").resize("L3H2")
    for name, array in once.arrays.items():
        np.testing.assert_array_equal(twice.arrays[name], array)


def test_the_source_is_left_as_it_was(rng):
    template = random_template(rng, **SOURCE, decoder=DECODER)
    before = {name: array.copy() for name, array in template.arrays.items()}
    template.resize("L5H3", (16, 16, 2), "linear")
    for name, array in template.arrays.items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"size": ViTSize(3, 2, 8)}, "size"),
        ({"size": "3x2"}, "size"),
        ({"size": None}, "size"),
        ({"size": "L3H2", "image_shape": (8, 12, 3)}, "image_shape"),
        ({"size": "L3H2", "image_shape": (8, 13, 2)}, "image_shape"),
        ({"size": "L3H2", "image_shape": (8, 12)}, "image_shape"),
        ({"size": "L3H2", "image_shape": (0, 12, 2)}, "image_shape"),
        ({"size": "L3H2", "depth_map": "cubic"}, "depth_map"),
    ],
)
def test_impossible_targets_are_refused(arguments, name, rng):
    with pytest.raises(ValueError, match=f"`{name}`.*Received: "):
        random_template(rng, **SOURCE).resize(**arguments)


def test_an_image_shape_may_be_a_list(rng):
    resized = random_template(rng, **SOURCE).resize("L3H2", [4, 8, 2])
    assert resized.image_shape == (4, 8, 2)
    assert dataclasses.replace(resized).grid == (1, 2)
