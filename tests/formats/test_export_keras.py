import keras
import numpy as np
import pytest
from formats.foreign import images, need, outputs
from formats.networks import GREY, classifier, network, same, same_weights
from keras_checks import numpy

import sweet_keras as sk

PLAIN = {"pixel_mean": 127.5, "pixel_std": 127.5}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"class_token": False, "norm_epsilon": 1e-2, "size": "L3H3", "image_shape": (8, 16, 3)},
        GREY | {"layer_scale": 0.5, "mlp_ratio": 2},
    ],
)
def test_tokens_by_keras_hub_and_back(rng, tmp_path, options):
    """It takes pixels in -1..1, whatever ours are."""
    keras_hub = need("keras_hub")
    vit = network(rng, **options)
    sk.export(vit, tmp_path / "out.keras", format="keras_hub")
    model = keras.saving.load_model(tmp_path / "out.keras")
    assert isinstance(model, keras_hub.models.ViTBackbone)
    pixels = images(rng, vit.image_shape)
    same(numpy(model(pixels / np.float32(127.5) - 1)), outputs(vit, pixels))
    again = sk.load_vit(tmp_path / "out.keras")
    same(outputs(again, pixels), outputs(vit, pixels))


def test_the_same_weights_come_back_from_keras_hub(rng, tmp_path):
    need("keras_hub")
    vit = network(rng, "L11H1", **PLAIN)
    sk.export(vit, tmp_path / "out.keras", format="keras_hub")
    same_weights(vit, sk.load_vit(tmp_path / "out.keras"))


@pytest.mark.parametrize("pooling, token", [("token", True), ("mean", False)])
def test_logits_by_keras_hub(rng, tmp_path, pooling, token):
    need("keras_hub")
    model = classifier(rng, pooling, class_token=token)
    sk.export(model, tmp_path / "out.keras", format="keras_hub")
    pixels = images(rng, model.backbone.image_shape)
    made = keras.saving.load_model(tmp_path / "out.keras", compile=False)
    same(numpy(made(pixels / np.float32(127.5) - 1)), outputs(model, pixels))


def test_what_keras_hub_does_not_have(rng, tmp_path):
    for model, message in (
        (network(rng, register_tokens=1), "it has no registers"),
        (network(rng, activation="gelu_tanh"), "its GELU is exact"),
        (classifier(rng, "mean"), "its mean is over the class token too"),
    ):
        with pytest.raises(ValueError, match=f"{message}.*Received: "):
            sk.export(model, tmp_path / "out.keras", format="keras_hub")
    with pytest.raises(ValueError, match=r"`path` must end in \.keras"):
        sk.export(network(rng), tmp_path / "out", format="keras_hub")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("options", [{}, {"window": 2, "global_blocks": 1, "size": "L3H2"}])
def test_tokens_by_keras_cv(rng, tmp_path, options):
    keras_cv = need("keras_cv")
    vit = network(rng, class_token=False, mlp_ratio=2, layer_scale=0.5, **options)
    sk.export(vit, tmp_path / "out.keras", format="keras_cv")
    model = keras.saving.load_model(tmp_path / "out.keras")
    assert isinstance(model, keras_cv.models.ViTDetBackbone)
    pixels = images(rng, vit.image_shape)
    same(outputs(model, pixels).reshape(2, 16, -1), outputs(vit, pixels))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"class_token": True}, "it has no class token"),
        ({"image_shape": (8, 16, 3)}, "its images are square"),
        (GREY, "its images have three channels"),
        ({"window": 3}, "its padding of windows is attended to"),
        ({"norm_epsilon": 1e-5}, "its epsilon is 1e-6"),
    ],
)
def test_what_keras_cv_does_not_have(rng, tmp_path, options, message):
    vit = network(rng, **{"class_token": False, **options})
    with pytest.raises(ValueError, match=f"{message}.*Received: "):
        sk.export(vit, tmp_path / "out.keras", format="keras_cv")


def test_keras(rng, tmp_path):
    model = classifier(rng, register_tokens=2)
    sk.export(model, tmp_path / "out.keras", format="keras")
    pixels = images(rng, model.backbone.image_shape)
    made = keras.saving.load_model(tmp_path / "out.keras")
    np.testing.assert_array_equal(outputs(made, pixels), outputs(model, pixels))
    same_weights(model.backbone, sk.load_vit(tmp_path / "out.keras"))
