import keras
import numpy as np
import pytest
from keras_checks import images, numpy, smooth_images

import sweet_keras as sk

SHAPE = (8, 12, 2)


@pytest.fixture(scope="module")
def x():
    return smooth_images(np.random.default_rng(0))


@pytest.fixture(scope="module")
def learned(x):
    """A template that has seen a little training, so that there is something to adapt."""
    encoder = sk.SweetTemplateViT("L2H3", image_shape=SHAPE, patch_size=4, head_dim=4, seed=0)
    mae = sk.MaskedAutoencoder(encoder, seed=0)
    mae.compile(keras.optimizers.Adam(3e-3))
    mae.fit(x, batch_size=16, epochs=4, verbose=0)
    return mae.template({"epochs": 4})


def changed(before, after):
    return {n for n, array in before.arrays.items() if (after.arrays[n] != array).any()}


def test_only_the_core_stays(x, learned):
    target = learned.resize("L2H2")
    result = sk.adapt(target, x, steps=3, learning_rate=1e-2, seed=0)
    fixed = {"core", "positions", "decoder/positions"}
    assert changed(target, result) == set(target.arrays) - fixed
    np.testing.assert_array_equal(result.arrays["core"], target.arrays["core"])
    assert result.record == {"epochs": 4}
    assert (result.size, result.decoder) == (target.size, target.decoder)


def test_lowers_the_loss_of_the_small_network(x, learned, rng):
    target = learned.resize("L1H2")
    noise = rng.random((64, 6)).astype("float32")

    def loss(template):
        mae = sk.MaskedAutoencoder.from_template(template)
        return float(numpy(mae.compute_loss(None, None, mae(x, noise=noise))))

    assert loss(sk.adapt(target, x, steps=40, learning_rate=5e-3, batch_size=32)) < loss(target)


def test_by_the_loss_of_the_task(x, learned, rng):
    target = learned.resize("L2H1")
    result = sk.adapt(target, (x, rng.integers(0, 3, 64)), steps=3, learning_rate=1e-2)
    np.testing.assert_array_equal(result.arrays["core"], target.arrays["core"])
    assert {"layer_scaler", "input_scaler", "output_scaler"} <= changed(target, result)


def test_a_data_set_with_labels_needs_their_number_only(x, learned, rng):
    target, y = learned.resize("L2H1"), rng.integers(0, 3, 64)
    batches = ((x[part], y[part]) for part in (slice(32), slice(32, None)))
    result = sk.adapt(target, batches, steps=2, classes=3, learning_rate=1e-2)
    np.testing.assert_array_equal(result.arrays["core"], target.arrays["core"])
    np.testing.assert_array_equal(
        result.arrays["decoder/positions"], target.arrays["decoder/positions"]
    )
    assert {"layer_scaler", "input_scaler", "output_scaler"} <= changed(target, result)


def test_a_template_without_a_decoder_gets_none(x):
    layer = sk.SweetTemplateViT("L1H2", image_shape=SHAPE, patch_size=4, head_dim=4)
    target = layer.template()
    result = sk.adapt(target, x, steps=1, learning_rate=1e-2)
    assert set(result.arrays) == set(target.arrays)
    assert "input_scaler" in changed(target, result)


def test_an_epoch_is_counted_in_images(x, learned, monkeypatch):
    steps = []
    monkeypatch.setattr(
        sk.MaskedAutoencoder, "fit", lambda self, *_, **options: steps.append(options)
    )
    sk.adapt(learned, x, batch_size=4)
    sk.adapt(learned, x, batch_size=16, epochs=2)
    steps = [options["steps_per_epoch"] for options in steps]
    assert steps == [16, 8]


def test_through_materialize(x, learned):
    sliced = sk.materialize(learned, "L1H1").arrays()
    adapted = sk.materialize(learned, "L1H1", adapt=x, epochs=1.0, learning_rate=1e-2).arrays()
    assert (adapted["qkv/kernel"] != sliced["qkv/kernel"]).any()


def test_bad_arguments(x, learned):
    with pytest.raises(ValueError, match="`steps` must be given with a data set"):
        sk.adapt(learned, iter([x]))
    with pytest.raises(ValueError, match="`data` must hold images"):
        sk.adapt(learned, images(np.random.default_rng(0), 0, SHAPE))


def test_pixels_that_were_divided_are_warned_of(rng):
    source = sk.SweetTemplateViT("L1H1", image_shape=(8, 8, 1), patch_size=4, head_dim=4).template()
    pixels = rng.uniform(0, 1, (4, 8, 8, 1)).astype("float32")
    mae = sk.MaskedAutoencoder.from_template(source)
    mae.compile()
    classifier = sk.ImageClassifier(sk.materialize(source), classes=2)
    classifier.compile()
    for train in (
        lambda: sk.adapt(source, pixels, steps=1),
        lambda: mae.fit(pixels, verbose=0),
        lambda: classifier.fit(pixels, np.zeros(4, int), verbose=0),
    ):
        with pytest.warns(UserWarning, match=r"pixels in 0\.\.255.*Received: floats up to 0\.9"):
            train()
    with pytest.raises(ValueError, match=r"`template` must be a SweetTemplate.*'birds\.sweet'"):
        sk.materialize("birds.sweet", "L1H1")
