import keras
import numpy as np
import pytest
from formats.foreign import images, need, outputs
from keras_checks import numpy, randomize

import sweet_keras as sk


def keras_hub_vit(rng, shape=(16, 16, 3), **options):
    sizes = {"patch_size": 4, "num_layers": 2, "num_heads": 2, "hidden_dim": 16, "mlp_dim": 64}
    backbone = need("keras_hub").models.ViTBackbone
    vit = backbone(**{"image_shape": shape, **sizes, **options})
    randomize(vit, rng)
    return vit


def check(model, path, rng):
    """KerasHub takes pixels in -1..1 (its published models), and so does what is loaded."""
    vit = sk.load_vit(path)
    pixels = images(rng, vit.image_shape)
    expected = numpy(model(pixels / np.float32(127.5) - 1))
    np.testing.assert_allclose(outputs(vit, pixels), expected, atol=1e-4, rtol=1e-4)
    return vit


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"shape": (8, 16, 1), "hidden_dim": 24, "num_heads": 3, "mlp_dim": 48, "num_layers": 11},
        {"use_class_token": False, "use_mha_bias": False, "use_patch_bias": False},
        {"layer_norm_epsilon": 1e-2},
    ],
)
def test_tokens_are_those_of_keras_hub(rng, tmp_path, options):
    model = keras_hub_vit(rng, **options)
    vit = check(model, model, rng)
    assert str(vit.size) == f"L{model.num_layers}H{model.num_heads}"
    model.save(tmp_path / "model.keras")
    again = check(model, tmp_path / "model.keras", rng)
    for name, array in vit.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], array)


def test_weights_file(rng, tmp_path):
    """It says all but the epsilon and the shape of images that are not square."""
    model = keras_hub_vit(rng)
    model.save_weights(tmp_path / "model.weights.h5")
    check(model, tmp_path / "model.weights.h5", rng)


def test_backbone_of_a_classifier(rng, tmp_path):
    model = keras_hub_vit(rng)
    classifier = need("keras_hub").models.ViTImageClassifier(backbone=model, num_classes=3)
    classifier.save(tmp_path / "model.keras")
    check(model, tmp_path / "model.keras", rng)
    check(model, classifier, rng)


def test_own_files(rng, tmp_path):
    """A network or a classifier of this package is read by the same function."""
    vit = sk.ViTBackbone("L1H2", image_shape=(8, 8, 1), patch_size=4, head_dim=4)
    sk.ImageClassifier(vit, 3).save(tmp_path / "model.keras")
    loaded = sk.load_vit(tmp_path / "model.keras")
    pixels = images(rng, (8, 8, 1))
    np.testing.assert_array_equal(outputs(loaded, pixels), outputs(vit, pixels))
    larger = sk.load_vit(tmp_path / "model.keras", image_shape=(8, 16, 1))
    assert larger.image_shape == (8, 16, 1)
    with pytest.raises(ValueError, match="only `image_shape`"):
        sk.load_vit(tmp_path / "model.keras", num_heads=2)


def test_another_model_is_refused(rng, tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.save(tmp_path / "model.keras")
    for path in (tmp_path / "model.keras", model):
        with pytest.raises(ValueError, match=r"names of none of timm, .*big_vision"):
            sk.load_vit(path)
    with pytest.raises(ValueError, match=r"`path` must be a checkpoint.*Received: int"):
        sk.load_vit(3)
