import keras
import numpy as np
import pytest
from keras_checks import (
    check_config_round_trip,
    check_saving,
    images,
    numpy,
    randomize,
    skip_untrainable,
)

import sweet_keras as sk

SHAPE = (8, 12, 2)
OPTIONS = {"image_shape": SHAPE, "patch_size": 4, "head_dim": 4}


def backbone(kind, **options):
    make = {"plain": sk.ViTBackbone, "template": sk.SweetTemplateViT}[kind]
    return make("L2H3", **OPTIONS, **options)


@pytest.mark.parametrize("registers", [0, 2])
@pytest.mark.parametrize("pooling", ["mean", "token"])
@pytest.mark.parametrize("kind", ["plain", "template"])
def test_pools_and_classifies(rng, tmp_path, kind, pooling, registers):
    vit = backbone(kind, class_token=True, register_tokens=registers)
    model = sk.ImageClassifier(vit, 5, pooling=pooling, name="c")
    randomize(model, rng)
    x = images(rng, 3, SHAPE)
    tokens = numpy(model.backbone(x))
    features = tokens[:, 0] if pooling == "token" else tokens[:, 1 + registers :].mean(axis=1)
    head = model.get_layer("logits")
    expected = features @ numpy(head.kernel) + numpy(head.bias)
    np.testing.assert_allclose(numpy(model(x)), expected, atol=1e-5)
    check_config_round_trip(model)
    check_saving(model, x, tmp_path)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_learns_with_the_default_compile(policy):
    skip_untrainable(policy)
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 96)
    x = np.clip(40 + 70 * y[:, None, None, None] + 20 * rng.standard_normal((96, *SHAPE)), 0, 255)
    model = sk.ImageClassifier(backbone("plain", dtype=policy), 3)
    model.compile(keras.optimizers.AdamW(5e-3))
    model.fit(x, y, epochs=12, verbose=0)
    assert model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"] > 0.8
    assert keras.backend.standardize_dtype(model(x[:1]).dtype) == "float32"


def test_a_saved_classifier_can_be_trained_on(rng, tmp_path):
    model = sk.ImageClassifier(backbone("plain"), 3, dropout=0.1)
    model.compile()
    x, y = images(rng, 8, SHAPE), rng.integers(0, 3, 8)
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert np.isfinite(loaded.fit(x, y, verbose=0).history["loss"][0])


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_no_backend_is_named_in_a_saved_model(policy):
    """On torch Keras names its own optimizer classes, which other backends cannot import."""
    model = sk.ImageClassifier(backbone("plain", dtype=policy), 3)
    model.compile(keras.optimizers.AdamW(1e-3))
    assert "keras.src.backend" not in str(keras.saving.serialize_keras_object(model))


@pytest.mark.parametrize("options", [{"pooling": "max"}, {"pooling": "token"}])
def test_bad_pooling(options):
    with pytest.raises(ValueError, match="`pooling` must be 'mean', or 'token' with"):
        sk.ImageClassifier(backbone("plain"), 3, **options)
