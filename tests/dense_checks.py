"""Inputs, targets and checks of detectors and segmenters of other libraries."""

import keras
import numpy as np
import pytest
from keras_checks import images, numpy, randomize

import sweet_keras as sk

SHAPE = (64, 64, 3)

# Of the libraries' own making: RetinaNet of keras-cv names its input, but passes images without the
# name, and models with a `compile` of their own do not take care of it when they are loaded.
filter_warnings = pytest.mark.filterwarnings(
    "ignore:The structure of `inputs` doesn't match:UserWarning",
    "ignore:`compile..` was not called as part of model loading:UserWarning",
)


def encoder(rng, kind="plain", **options):
    """A tiny encoder with random weights."""
    make = {"plain": sk.ViTBackbone, "template": sk.SweetTemplateViT}[kind]
    options = {"image_shape": SHAPE, "patch_size": 16, "head_dim": 8, **options}
    vit = make("L1H2", **options)
    vit.build((None, *options["image_shape"]))
    randomize(vit, rng)
    return vit


def boxes(rng, count):
    """`count` images, and three boxes (xyxy) and classes (0 or 1) in each, the last one padding."""
    corner = rng.uniform(0, 30, (count, 3, 2))
    found = np.concatenate([corner, corner + rng.uniform(16, 34, (count, 3, 2))], axis=-1)
    classes = rng.integers(0, 2, (count, 3))
    found[:, -1], classes[:, -1] = -1, -1
    return images(rng, count, SHAPE), found.astype("float32"), classes.astype("float32")


def masks(rng, count, classes):
    """`count` images, and masks of which a quarter is not to count."""
    mask = rng.integers(0, classes, (count, *SHAPE[:2]))
    mask[rng.random(mask.shape) < 0.25] = 255
    return images(rng, count, SHAPE), mask.astype("int32")


def check_life(model, options, x, y, tmp_path):
    """Compiles, fits, evaluates, predicts, saves and loads; the loaded model gives the same.

    Args:
        model: Of another library, with a pyramid of this one.
        options: Those of `compile`.
        x: Images.
        y: Targets.
        tmp_path: Where to save.

    Returns:
        What `predict` gives.
    """
    model.compile(**options)
    before = [numpy(variable) for variable in model.trainable_variables]
    losses = model.fit(x, y, batch_size=2, epochs=2, shuffle=False, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    learned = {
        id(variable)
        for variable, old in zip(model.trainable_variables, before, strict=True)
        if (numpy(variable) != old).any()
    }
    # A ReLU without a living unit has no gradient, but the encoder learns at all events.
    assert len(learned) > 0.9 * len(before)
    assert {id(variable) for variable in _encoder_of(model).trainable_variables} <= learned
    evaluated = model.evaluate(x, y, batch_size=2, verbose=0, return_dict=True)
    assert np.isfinite(evaluated["loss"])
    predicted = model.predict(x, batch_size=2, verbose=0)
    own_compile = type(model).compile is not keras.Model.compile
    if own_compile:
        # Keras does not compile such a model when it loads it, and KerasHub compiles it in its own
        # way, with an optimizer that the saved state does not fit.
        model.compile(**options)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    _same(loaded.predict(x, batch_size=2, verbose=0), predicted)
    if not own_compile:
        again = loaded.fit(x, y, batch_size=2, shuffle=False, verbose=0).history["loss"]
        assert np.isfinite(again[0])
    return predicted


def _encoder_of(model):
    while not isinstance(model, (sk.ViTBackbone, sk.SweetTemplateViT)):
        inner = ("encoder", "image_encoder", "backbone")
        model = next(getattr(model, name) for name in inner if hasattr(model, name))
    return model


def _same(one, other):
    one, other = (each if isinstance(each, dict) else {"": each} for each in (one, other))
    assert one.keys() == other.keys()
    for key in one:
        np.testing.assert_allclose(numpy(one[key]), numpy(other[key]), atol=1e-5, rtol=1e-5)


def check_detections(predicted, label_key, count):
    """Some boxes were found, they lie in the images, and the rest is padding."""
    assert predicted["boxes"].shape[0] == count
    for found, labels, number in zip(
        predicted["boxes"], predicted[label_key], predicted["num_detections"], strict=True
    ):
        assert 0 < number <= len(found)
        assert np.isin(labels[:number], [0, 1]).all()
        assert (found[number:] == -1).all()
        assert (found[:number, 2:] >= found[:number, :2]).all()
