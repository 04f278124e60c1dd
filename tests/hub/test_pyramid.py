import keras
import numpy as np
import pytest
from dense_checks import SHAPE, encoder
from keras_checks import check_config_round_trip, images, numpy

import sweet_keras as sk

keras_hub = pytest.importorskip("keras_hub")


@pytest.mark.parametrize("kind", ["plain", "template"])
def test_maps_are_those_of_the_encoder(rng, tmp_path, kind):
    vit = encoder(rng, kind, class_token=True)
    backbone = sk.hub.pyramid(vit, (32, 64, 3), channels=4, name="backbone", stride_4="P2")
    assert isinstance(backbone, sk.hub.PyramidBackbone)
    x = images(rng, 2, (32, 64, 3))
    tokens = numpy(backbone.encoder(x))[:, 1:]
    features = keras.Model(backbone.input, backbone.get_layer("patch_map").output)
    np.testing.assert_allclose(numpy(features(x)), tokens.reshape(2, 2, 4, 16), atol=1e-5)
    check_config_round_trip(backbone)
    maps = backbone(x)
    backbone.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert list(loaded.pyramid_outputs) == list(backbone.pyramid_outputs)
    for name, level in loaded(x).items():
        np.testing.assert_array_equal(numpy(level), numpy(maps[name]))


@pytest.mark.parametrize("stride_4", ["P1", "P2"])
def test_names_of_the_levels(rng, stride_4):
    backbone = sk.hub.pyramid(encoder(rng), channels=(4, 5, 6, 7), stride_4=stride_4)
    shapes = {name: tuple(x.shape[1:]) for name, x in backbone.pyramid_outputs.items()}
    assert shapes == {stride_4: (16, 16, 4), "P3": (8, 8, 5), "P4": (4, 4, 6), "P5": (2, 2, 7)}
    assert len(set(backbone.hidden_dims)) == 4


def test_one_pyramid_fits_all_models(rng):
    """Each model makes of the same encoder and the same weights what its kind promises."""
    pyramid = sk.hub.pyramid(encoder(rng), channels=4)
    models = keras_hub.models
    shape = pyramid.image_shape
    retinanet = models.RetinaNetBackbone(pyramid, 3, 7, use_p5=True, image_shape=shape)
    deeplab = models.DeepLabV3Backbone(
        pyramid,
        low_level_feature_key="P1",
        spatial_pyramid_pooling_key="P5",
        upsampling_size=8,
        dilation_rates=[2],
        image_shape=shape,
    )
    segformer = models.SegFormerBackbone(pyramid, projection_filters=4)
    assert [x.shape[1] for x in retinanet.output.values()] == [8, 4, 2, 1, 1]
    assert deeplab.output.shape[1:3] == (64, 64)
    assert segformer.output.shape[1:] == (16, 16, 4)
    x = images(rng, 1, SHAPE)
    before = [numpy(model(x, training=False)) for model in (deeplab, segformer)]
    for variable in pyramid.encoder.trainable_variables:
        variable.assign(variable + 0.3 * rng.standard_normal(variable.shape))
    for model, old in zip((deeplab, segformer), before, strict=True):
        assert np.abs(numpy(model(x, training=False)) - old).max() > 1e-3


def test_both_libraries_get_the_same_maps(rng):
    pytest.importorskip("keras_cv")
    vit = encoder(rng)
    one, other = (library.pyramid(vit, SHAPE, channels=4) for library in (sk.cv, sk.hub))
    other.set_weights(one.get_weights())
    x = images(rng, 1, SHAPE)
    maps = one(x)
    for name, level in other(x).items():
        np.testing.assert_array_equal(numpy(level), numpy(maps[name]))


def test_precision_of_its_own(rng):
    backbone = sk.hub.pyramid(encoder(rng), channels=4, levels=(4,), dtype="mixed_bfloat16")
    assert keras.backend.standardize_dtype(backbone.output["P4"].dtype) == "bfloat16"
    again = sk.hub.PyramidBackbone.from_config(backbone.get_config())
    assert again.dtype_policy.name == "mixed_bfloat16"
    assert again.encoder.dtype_policy.name == "float32"


@pytest.mark.parametrize(
    "options", [{"stride_4": "P3"}, {"stride_4": "P1", "levels": (1, 2)}, {"stride_4": 2}]
)
def test_bad_name(rng, options):
    with pytest.raises(ValueError, match=r"`stride_4` must be.*Received"):
        sk.hub.pyramid(encoder(rng), **options)
