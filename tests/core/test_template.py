"""What a template accepts, and the kernels it describes."""

import dataclasses
import math

import numpy as np
import pytest
from template_factory import numpy_kernels, random_template, template_shapes

from sweet_keras.core.size import ViTSize
from sweet_keras.core.template import SweetTemplate

DECODER = ViTSize(1, 2, 4)
VARIANTS = [
    {},
    {"class_token": True},
    {"layer_scale": True, "positions": "learned"},
    {"decoder": DECODER},
    {"class_token": True, "layer_scale": True, "decoder": DECODER, "image_shape": (4, 16, 3)},
    {"register_tokens": 3, "mlp_ratio": 2, "norm_epsilon": 1e-5, "activation": "gelu_tanh"},
    {"class_token": True, "register_tokens": 1, "mlp_ratio": 1, "decoder": DECODER},
]


def replaced(template, **arrays):
    """Some arrays of a template exchanged; None takes one away."""
    arrays = {**template.arrays, **arrays}
    arrays = {name: array for name, array in arrays.items() if array is not None}
    return dataclasses.replace(template, arrays=arrays)


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_a_template_says_of_itself(variant, rng):
    template = random_template(rng, **variant)
    shapes = template_shapes(
        ViTSize(2, 3, 4), (5, 6, 7), template.image_shape, 4,
        template.class_token, template.layer_scale, template.decoder,
        template.register_tokens, template.mlp_ratio,
    )  # fmt: skip
    assert template.shapes() == shapes
    assert template.ranks == (5, 6, 7)
    assert template.grid == (template.image_shape[0] // 4, template.image_shape[1] // 4)
    stored = sum(math.prod(shape) for name, shape in shapes.items() if "decoder" not in name)
    assert template.parameters == stored


def test_factors_are_in_the_papers_order(rng):
    template = random_template(rng)
    names = ("core", "layer_scaler", "input_scaler", "output_scaler")
    for factor, name in zip(template.factors, names, strict=True):
        assert factor is template.arrays[name]


@pytest.mark.parametrize("variant", VARIANTS)
def test_missing_extra_and_misshapen_arrays_are_named(variant, rng):
    template = random_template(rng, **variant)
    for name, array in template.arrays.items():
        if name != "core":
            with pytest.raises(ValueError, match=rf"missing names \['{name}'\]$"):
                replaced(template, **{name: None})
        for wrong in (array[None], array[..., :0], np.concatenate([array, array])):
            with pytest.raises(ValueError, match="Received: ") as caught:
                replaced(template, **{name: wrong})
            assert name in str(caught.value) or name == "core"  # which gives all others a shape
    with pytest.raises(ValueError, match=r"unknown names \['optimizer/step'\]"):
        replaced(template, **{"optimizer/step": np.zeros(3, "float32")})


@pytest.mark.parametrize("core", [None, np.float32(1), np.zeros(5, "f4"), np.zeros((5, 6), "f4")])
def test_core_must_have_three_axes(core, rng):
    with pytest.raises(ValueError, match=r"`arrays\['core'\]` must .*\(r1, r2, r3\).*Received: "):
        replaced(random_template(rng), core=core)


@pytest.mark.parametrize("axis", range(3))
def test_a_rank_of_zero_is_refused(axis, rng):
    ranks = [5, 6, 7]
    ranks[axis] = 0
    with pytest.raises(ValueError, match=r"`arrays\['core'\]` must"):
        random_template(rng, ranks=tuple(ranks))


@pytest.mark.parametrize("dtype", ["float16", "float64", "int32", "complex64", ">f4"])
@pytest.mark.parametrize("name", ["core", "qkv/bias"])
def test_other_dtypes_are_refused(dtype, name, rng):
    template = random_template(rng)
    with pytest.raises(ValueError, match=rf"`arrays\['{name}'\]` must be float32 .*Received: "):
        replaced(template, **{name: template.arrays[name].astype(dtype)})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["core", "positions", "decoder/mask_token"])
def test_a_single_number_that_is_not_finite_is_refused(value, name, rng):
    template = random_template(rng, decoder=DECODER)
    array = template.arrays[name].copy()
    array.flat[-1] = value
    with pytest.raises(ValueError, match=rf"`arrays\['{name}'\]` must be finite.*Received: 1 "):
        replaced(template, **{name: array})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("image_shape", value) for value in [(8, 12), (8, 12, 2, 1), (8.0, 12, 2), (0, 12, 2)]),
        *(("image_shape", value) for value in [(8, 13, 2), (9, 12, 2), (-8, 12, 2), ()]),
        *(("patch_size", value) for value in [0, -4, 4.0, "4", 5]),
        *(("positions", value) for value in ["", "none", None, ["sincos"]]),
        *(("pixel_mean", value) for value in [(), (1.0, 2.0, 3.0), (math.nan,), (math.inf, 0.0)]),
        *(("pixel_std", value) for value in [(), (1.0, 2.0, 3.0), (math.nan,), (0.0,), (1.0, -1)]),
        *(("register_tokens", value) for value in [-1, 1.0, "1", None, True]),
        *(("norm_epsilon", value) for value in [0, -1e-6, math.nan, math.inf, "1e-6", None]),
        *(("mlp_ratio", value) for value in [0, -4, 2.5, "4", None, True]),
        *(("activation", value) for value in ["", "relu", None, ["gelu"]]),
    ],
)
def test_wrong_geometry_is_refused(field, value, rng):
    with pytest.raises(ValueError, match=f"`{field}`.*Received: "):
        dataclasses.replace(random_template(rng), **{field: value})


@pytest.mark.parametrize("field", ["pixel_mean", "pixel_std"])
@pytest.mark.parametrize("value", [(0.5,), (3.0, 4.0)])
def test_one_number_for_all_channels_or_one_each(field, value, rng):
    template = dataclasses.replace(random_template(rng), **{field: value})
    assert getattr(template, field) == value


def test_defaults_are_those_of_raw_pixels(rng):
    template = random_template(rng, image_shape=(1, 1, 1), patch_size=1)
    assert (template.pixel_mean, template.pixel_std) == ((127.5,), (127.5,))
    assert (template.positions, template.record, template.grid) == ("sincos", {}, (1, 1))


def test_its_text_is_short(rng):
    template = random_template(rng, record={"log": list(range(1000))})
    assert "L2H3" in str(template) or "depth=2" in str(template)
    assert len(str(template)) < 400


def test_a_template_is_frozen(rng):
    with pytest.raises(dataclasses.FrozenInstanceError):
        random_template(rng).patch_size = 8


@pytest.mark.parametrize("ranks", [(5, 6, 7), (1, 1, 1), (30, 12, 3), (3, 20, 12)])
@pytest.mark.parametrize(("size", "ratio"), [("L1H1", 4), ("L2H3", 4), ("L3H2", 3), ("L2H1", 1)])
def test_kernels_are_the_blocks_of_w(size, ratio, ranks, rng):
    template = random_template(rng, size, ranks=ranks, mlp_ratio=ratio)
    kernels, w = template.kernels(), numpy_kernels(template)
    dim = template.size.embed_dim
    expected = (
        ("qkv", np.concatenate([w[:, i] for i in range(3)], axis=2)),
        ("output", w[:, 3]),
        ("mlp_in", np.concatenate([w[:, 4 + i] for i in range(ratio)], axis=2)),
        ("mlp_out", np.concatenate([w[:, 4 + ratio + i] for i in range(ratio)], axis=1)),
    )
    assert expected[-1][1].shape == (template.size.depth, ratio * dim, dim)
    for name, value in expected:
        kernel = getattr(kernels, name)
        assert kernel.dtype == np.float32
        assert kernel.shape == value.shape
        np.testing.assert_allclose(kernel, value, rtol=0, atol=1e-5 * np.abs(w).max())


def test_a_size_of_another_dimension_of_heads_needs_other_arrays(rng):
    template = random_template(rng)
    with pytest.raises(ValueError, match=r"`arrays\['layer_scaler'\]`|`arrays\['input_scaler'\]`"):
        SweetTemplate(ViTSize(2, 3, 5), template.image_shape, 4, template.arrays)
