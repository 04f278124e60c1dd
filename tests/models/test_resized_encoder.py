import keras
import numpy as np
import pytest
from keras_checks import check_saving, images, numpy, randomize
from template_factory import random_template

import sweet_keras as sk
from sweet_keras.models.resized_encoder import resized_encoder

SHAPES = [(12, 20, 2), (16, 8, 2), (8, 12, 2)]  # the template's own is (8, 12, 2)
FIELDS = {
    "plain": {"positions": "sincos"},
    "learned": {"positions": "learned", "layer_scale": True},
    "class_token": {"positions": "learned", "class_token": True},
    "registers": {"class_token": True, "register_tokens": 3, "mlp_ratio": 2},
}


def make(rng, fields="plain"):
    return random_template(rng, pixel_mean=(90.0, 100.0), pixel_std=(50.0, 60.0), **FIELDS[fields])


@pytest.mark.parametrize("fields", FIELDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_backbone_resized_is_the_template_resized(rng, shape, fields):
    template = make(rng, fields)
    resized = resized_encoder(sk.materialize(template, "L3H2"), shape)
    expected = sk.materialize(template, "L3H2", image_shape=shape)
    assert type(resized) is sk.ViTBackbone
    assert resized.image_shape == shape
    assert resized.arrays().keys() == expected.arrays().keys()
    for name, array in expected.arrays().items():
        np.testing.assert_allclose(resized.arrays()[name], array, rtol=1e-6, atol=1e-6)
    x = images(rng, 2, shape)
    np.testing.assert_allclose(numpy(resized(x)), numpy(expected(x)), atol=1e-5)


@pytest.mark.parametrize("fields", FIELDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_template_vit_resized_is_the_template_resized(rng, shape, fields):
    template = make(rng, fields)
    resized = resized_encoder(sk.SweetTemplateViT(template), shape)
    expected = template.resize("L2H3", shape)
    assert type(resized) is sk.SweetTemplateViT
    assert resized.image_shape == shape
    for name, array in expected.arrays.items():
        np.testing.assert_allclose(resized.template().arrays[name], array, rtol=1e-6, atol=1e-6)
    x = images(rng, 2, shape)
    plain = sk.materialize(template, image_shape=shape)
    # Factors one after the other against kernels: of random templates one in thirty is 2e-5 off.
    np.testing.assert_allclose(numpy(resized(x)), numpy(plain(x)), atol=5e-5, rtol=5e-5)


def test_flat_positions_stay_flat_and_ramps_stay_ramps(rng):
    """Interpolation by hand: a table that grows evenly along an axis grows evenly on the new grid.

    Away from the border, where a kernel is cut off.
    """
    vit = sk.ViTBackbone("L1H1", image_shape=(32, 32, 1), patch_size=4, head_dim=4)
    arrays = vit.arrays()
    row, column = np.divmod(np.arange(64), 8)
    arrays["positions"] = np.stack([0 * row + 3, row, column, 0 * row], axis=1).astype("float32")
    vit.load_arrays(arrays)
    table = resized_encoder(vit, (64, 32, 1)).arrays()["positions"].reshape(16, 8, 4)
    np.testing.assert_allclose(table[..., 0], 3, rtol=1e-6)
    rows = (np.arange(16) + 0.5) / 2 - 0.5
    np.testing.assert_allclose(table[4:-4, 3, 1], rows[4:-4], atol=1e-5)
    np.testing.assert_allclose(table[5, :, 2], np.arange(8), atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_windows_of_both_kinds_agree(rng, shape):
    layer = sk.SweetTemplateViT(make(rng))
    plain = sk.materialize(layer.template())
    x = images(rng, 2, shape)
    one = resized_encoder(layer, shape, window=2, global_blocks=1)
    other = resized_encoder(plain, shape, window=2, global_blocks=1)
    assert [block.window for block in one.blocks] == [2, None]
    np.testing.assert_allclose(numpy(one(x)), numpy(other(x)), atol=2e-5)
    everywhere = resized_encoder(other, shape)  # the window is not inherited
    np.testing.assert_array_equal(numpy(everywhere(x)), numpy(resized_encoder(plain, shape)(x)))
    assert np.abs(numpy(everywhere(x)) - numpy(other(x))).max() > 0.01


def test_options_are_kept(rng):
    vit = sk.ViTBackbone(
        "L2H2", image_shape=(8, 8, 3), patch_size=4, head_dim=4, drop_path=0.1, layer_scale=0.2,
        pixel_mean=(1.0, 2.0, 3.0), positions="learned", class_token=True,
        dtype="mixed_bfloat16", name="eyes",
    )  # fmt: skip
    vit.trainable = False
    resized = resized_encoder(vit, [16, np.int64(8), 3])
    changed = {"image_shape": (16, 8, 3)}
    assert resized.get_config() == {**vit.get_config(), **changed}
    assert resized.name == "eyes"
    assert resized.dtype_policy.name == "mixed_bfloat16"
    assert not resized.trainable_variables
    for train_core in (False, True):
        layer = sk.SweetTemplateViT(make(rng), train_core=train_core, dtype="mixed_bfloat16")
        resized = resized_encoder(layer, (16, 8, 2), window=2, global_blocks=1)
        changed = {"image_shape": (16, 8, 2), "window": 2, "global_blocks": 1}
        assert resized.get_config() == {**layer.get_config(), **changed}
        assert resized.kernels.core.trainable == train_core
        assert resized.blocks[0].compute_dtype == "bfloat16"


def test_new_template_loses_its_subnetworks_to_a_window(rng):
    layer = sk.SweetTemplateViT("L2H2", image_shape=(8, 8, 2), patch_size=4, head_dim=4)
    assert resized_encoder(layer, (16, 8, 2)).subnetwork_rate == 0.4
    windowed = resized_encoder(layer, (16, 8, 2), window=2, global_blocks=1)
    assert windowed.subnetwork_rate == 0


def test_a_window_that_changes_nothing_is_warned_of(rng):
    vit = sk.ViTBackbone("L2H1", image_shape=(8, 8, 2), patch_size=4, head_dim=4)
    with pytest.warns(UserWarning, match="window of 2 patches changes nothing: 4 .* L2H1 has 2"):
        resized = resized_encoder(vit, (16, 16, 2), window=2)
    x = images(rng, 1, (16, 16, 2))
    np.testing.assert_allclose(
        numpy(resized(x)), numpy(resized_encoder(vit, (16, 16, 2))(x)), atol=1e-6
    )


def test_original_is_left_as_it_is(rng, tmp_path):
    vit = sk.materialize(make(rng))
    x = images(rng, 2, vit.image_shape)
    before = numpy(vit(x))
    resized = resized_encoder(vit, (16, 16, 2), window=2, global_blocks=1)
    randomize(resized, rng)
    np.testing.assert_array_equal(numpy(vit(x)), before)
    check_saving(resized, images(rng, 2, (16, 16, 2)), tmp_path)
    inputs = keras.Input((16, 16, 2))
    layer = resized_encoder(sk.SweetTemplateViT(make(rng)), (16, 16, 2), window=2, global_blocks=1)
    model = keras.Model(inputs, layer(inputs))
    check_saving(model, images(rng, 2, (16, 16, 2)), tmp_path)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (16, r"`image_shape` must be three positive integers .* Received: 16"),
        ((16, 16), r"`image_shape` must be three positive integers .* Received: \(16, 16\)"),
        ((16.0, 16, 2), "`image_shape` must be three positive integers"),
        ((0, 16, 2), "`image_shape` must be three positive integers"),
        ((16, 16, 3), r"`image_shape` must have 2 channels, as the encoder. .*\(16, 16, 3\)"),
        ((16, 18, 2), "multiples of `patch_size`=4"),
    ],
)
def test_bad_image_shapes(rng, shape, message):
    for vit in (sk.materialize(make(rng)), sk.SweetTemplateViT(make(rng))):
        with pytest.raises(ValueError, match=message):
            resized_encoder(vit, shape)


def test_bad_arguments(rng):
    template = make(rng, "class_token")
    for vit in (sk.materialize(template), sk.SweetTemplateViT(template)):
        with pytest.raises(ValueError, match="`window` must be None with a class token"):
            resized_encoder(vit, (8, 8, 2), window=2)
    with pytest.raises(ValueError, match="`vit` must be a ViTBackbone or a SweetTemplateViT"):
        resized_encoder(template, (8, 8, 2))
