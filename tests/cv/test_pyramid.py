import keras
import numpy as np
import pytest
from dense_checks import SHAPE, encoder
from keras_checks import check_config_round_trip, check_mixed_precision, images, numpy

import sweet_keras as sk

pytest.importorskip("keras_cv")


@pytest.mark.parametrize("class_token, registers", [(False, 0), (True, 0), (True, 2)])
@pytest.mark.parametrize("kind", ["plain", "template"])
def test_maps_are_those_of_the_encoder(rng, tmp_path, kind, class_token, registers):
    """Level 4 before its convolutions is the tokens, row by row; the model can be saved."""
    extra = {"class_token": class_token, "register_tokens": registers}
    vit = encoder(rng, kind, **extra, image_shape=(32, 64, 3))
    backbone = sk.cv.pyramid(vit, channels=4, name="backbone")
    assert isinstance(backbone, sk.cv.PyramidBackbone)
    x = images(rng, 2, (32, 64, 3))
    tokens = numpy(vit(x))[:, class_token + registers :]
    features = keras.Model(backbone.input, backbone.get_layer("patch_map").output)
    np.testing.assert_allclose(numpy(features(x)), tokens.reshape(2, 2, 4, 16), atol=1e-5)
    check_config_round_trip(backbone)
    maps = backbone(x)
    assert [tuple(maps[name].shape) for name in ("P2", "P3", "P4", "P5")] == [
        (2, 8, 16, 4),
        (2, 4, 8, 4),
        (2, 2, 4, 4),
        (2, 1, 2, 4),
    ]
    backbone.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for name, level in loaded(x).items():
        np.testing.assert_array_equal(numpy(level), numpy(maps[name]))


def test_other_images_and_windows(rng):
    """The encoder is a resized copy, and the one given stays as it is."""
    vit = encoder(rng, image_shape=(32, 32, 3))
    backbone = sk.cv.pyramid(vit, SHAPE, channels=(4, 5), levels=(3, 4), window=2, global_blocks=0)
    assert backbone.image_shape == backbone.encoder.image_shape == SHAPE
    assert backbone.encoder.window == 2
    assert vit.image_shape == (32, 32, 3)
    assert {name: tuple(x.shape) for name, x in backbone.output.items()} == {
        "P3": (None, 8, 8, 4),
        "P4": (None, 4, 4, 5),
    }
    kernels = [numpy(network.arrays()["patch/kernel"]) for network in (vit, backbone.encoder)]
    np.testing.assert_array_equal(*kernels)


def test_a_template_stays_reachable(rng):
    vit = encoder(rng, "template", subnetwork_rate=0.0)
    backbone = sk.cv.pyramid(vit, channels=4)
    template, expected = backbone.encoder.template(), vit.template()
    assert template.arrays.keys() == expected.arrays.keys()
    np.testing.assert_allclose(template.arrays["core"], expected.arrays["core"], rtol=1e-6)


def test_keras_cv_finds_the_levels(rng):
    backbone = sk.cv.pyramid(encoder(rng), channels=4)
    assert list(backbone.pyramid_level_inputs) == ["P2", "P3", "P4", "P5"]
    x = images(rng, 1, SHAPE)
    maps = backbone(x)
    for level, name in backbone.pyramid_level_inputs.items():
        extractor = keras.Model(backbone.inputs, backbone.get_layer(name).output)
        np.testing.assert_array_equal(numpy(extractor([x])), numpy(maps[level]))
    assert len(set(backbone.embedding_dims)) == 4


def test_mixed_precision(rng):
    seed = int(rng.integers(2**31))
    x = images(rng, 2, (32, 32, 3))

    def make(policy):
        keras.utils.set_random_seed(seed)
        random = np.random.default_rng(seed)
        vit = encoder(random, dtype=policy, image_shape=(32, 32, 3))
        backbone = sk.cv.pyramid(vit, channels=4, levels=(3, 4))
        return keras.Model(backbone.input, backbone.output["P3"])

    check_mixed_precision(make, x)


def test_saved_in_16_bits(rng, tmp_path):
    backbone = sk.cv.pyramid(encoder(rng, dtype="mixed_bfloat16"), channels=4, levels=(4,))
    assert backbone.dtype_policy.name == "mixed_bfloat16"
    loaded = sk.cv.PyramidBackbone.from_config(backbone.get_config())
    assert loaded.dtype_policy.name == loaded.encoder.dtype_policy.name == "mixed_bfloat16"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"levels": (3, 2)}, "`levels` must be ascending"),
        ({"channels": 0}, "`channels` must be a positive"),
        ({"image_shape": (60, 64, 3)}, "patch"),
    ],
)
def test_bad_arguments(rng, options, message):
    with pytest.raises(ValueError, match=message):
        sk.cv.pyramid(encoder(rng), **options)


def test_no_encoder():
    with pytest.raises(ValueError, match="`vit` must be a ViTBackbone or a SweetTemplateViT"):
        sk.cv.pyramid("L1H2")


def test_bad_patch_size(rng):
    vit = encoder(rng, image_shape=(42, 28, 3), patch_size=14)
    with pytest.raises(ValueError, match=r"`patch_size` must be a power of two.*14"):
        sk.cv.pyramid(vit)
