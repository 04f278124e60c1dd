import keras
import numpy as np
import pytest
from keras_checks import numpy

from sweet_keras.models.pixel_crossentropy import PixelCrossentropy


def scores(rng, from_logits):
    logits = rng.standard_normal((2, 3, 4, 5)).astype("float32")
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    return (logits if from_logits else probabilities), probabilities


def by_hand(mask, probabilities, ignore, weights=None):
    """A loop over the pixels."""
    losses, counted = 0.0, 0
    for place in np.ndindex(mask.shape):
        if mask[place] != ignore:
            weight = 1 if weights is None else weights[place]
            losses -= weight * np.log(probabilities[(*place, mask[place])])
            counted += 1
    return losses / counted if counted else 0.0


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32"])
@pytest.mark.parametrize("trailing", [False, True])
@pytest.mark.parametrize("from_logits", [False, True])
def test_averages_over_the_pixels_that_count(rng, from_logits, trailing, dtype):
    y_pred, probabilities = scores(rng, from_logits)
    mask = rng.integers(0, 5, (2, 3, 4))
    mask[0, :2] = 255
    expected = by_hand(mask, probabilities, 255)
    y_true = (mask[..., None] if trailing else mask).astype(dtype)
    loss = PixelCrossentropy(from_logits)(y_true, y_pred)
    np.testing.assert_allclose(numpy(loss), expected, rtol=1e-5)


def test_weights_of_pixels_and_of_images(rng):
    y_pred, probabilities = scores(rng, True)
    mask = rng.integers(0, 5, (2, 3, 4))
    mask[1, 2] = 7
    loss = PixelCrossentropy(True, ignore=7)
    for weights in (rng.uniform(size=(2, 3, 4)), rng.uniform(size=(2, 1, 1))):
        expected = by_hand(mask, probabilities, 7, np.broadcast_to(weights, mask.shape))
        result = loss(mask, y_pred, sample_weight=weights)
        np.testing.assert_allclose(numpy(result), expected, rtol=1e-5)


def test_other_reductions(rng):
    y_pred, probabilities = scores(rng, True)
    mask = rng.integers(0, 5, (2, 3, 4))
    mask[0, 0] = 255
    counted = (mask != 255).sum()
    total = PixelCrossentropy(True, reduction="sum")(mask, y_pred)
    np.testing.assert_allclose(numpy(total) / counted, by_hand(mask, probabilities, 255), rtol=1e-5)
    each = numpy(PixelCrossentropy(True, reduction=None)(mask, y_pred))
    assert each.shape == mask.shape
    assert (each[0, 0] == 0).all()
    np.testing.assert_allclose(each.sum(), numpy(total), rtol=1e-5)


def test_nothing_counts(rng):
    y_pred, _ = scores(rng, True)
    assert numpy(PixelCrossentropy(True)(np.full((2, 3, 4), 255), y_pred)) == 0


def test_everything_counts_without_a_value_to_ignore(rng):
    y_pred, probabilities = scores(rng, False)
    mask = rng.integers(0, 5, (2, 3, 4))
    loss = PixelCrossentropy(ignore=None)(mask, y_pred)
    np.testing.assert_allclose(numpy(loss), by_hand(mask, probabilities, None), rtol=1e-5)


@pytest.mark.parametrize("from_logits", [False, True])
def test_trains_and_pixels_that_do_not_count_teach_nothing(rng, tmp_path, from_logits):
    """Images that differ only where the mask says so give the same trained kernel."""

    def trained(x):
        inputs = keras.Input((4, 6, 2))
        activation = None if from_logits else "softmax"
        outputs = keras.layers.Conv2D(3, 1, activation=activation, kernel_initializer="ones")
        model = keras.Model(inputs, outputs(inputs))
        model.compile(keras.optimizers.SGD(0.5), loss=PixelCrossentropy(from_logits))
        model.fit(x, masks, batch_size=2, epochs=2, shuffle=False, verbose=0)
        return model

    masks = rng.integers(0, 3, (4, 4, 6)).astype("int32")
    masks[:, 0] = 255
    x = rng.standard_normal((4, 4, 6, 2)).astype("float32")
    other = np.where(masks[..., None] == 255, rng.standard_normal(x.shape), x).astype("float32")
    model = trained(x)
    kernel = numpy(model.layers[-1].kernel)
    assert np.abs(kernel - 1).max() > 1e-3
    np.testing.assert_allclose(numpy(trained(other).layers[-1].kernel), kernel, atol=1e-5)
    model.save(tmp_path / "model.keras")
    loss = keras.saving.load_model(tmp_path / "model.keras").loss
    assert isinstance(loss, PixelCrossentropy)
    assert loss.get_config() == PixelCrossentropy(from_logits).get_config()
