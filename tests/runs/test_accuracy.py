import keras
import numpy as np
import pytest

from sweet_keras.data import ArraySource
from sweet_keras.runs.accuracy import class_names, measure_accuracy, score

pytestmark = pytest.mark.keras


def test_score(rng):
    expected, predicted = rng.integers(0, 4, 50), rng.integers(0, 5, 50)
    accuracy = score(predicted, expected, 5)
    assert accuracy.images == 50
    assert accuracy.overall == pytest.approx(np.mean(expected == predicted))
    for name in range(4):
        own = expected == name
        assert accuracy.counts[name] == own.sum()
        assert accuracy.by_class[name] == pytest.approx(np.mean(predicted[own] == name))
    assert accuracy.by_class[4] is None


def test_unknown_label():
    with pytest.raises(ValueError, match=r"at most the 3 classes .*Received: a label 3"):
        score(np.array([0, 1]), np.array([0, 3]), 3)


@pytest.mark.parametrize("batch_size", [1, 4, 7, 20])
def test_every_image_counts_once(rng, batch_size):
    # A model that gives back the first three pixels: accuracy is known from the images.
    images = keras.Input((2, 2, 1))
    logits = keras.ops.cast(keras.ops.reshape(images, (-1, 4))[:, :3], "float32")
    model = keras.Model(images, logits)
    pixels = rng.permuted(np.tile(np.arange(40, 44, dtype="uint8"), (11, 1)), axis=1)
    labels = rng.integers(0, 3, 11)
    source = ArraySource(pixels.reshape(11, 2, 2, 1), labels)
    calls = []
    accuracy = measure_accuracy(
        model, source, (2, 2, 1), batch_size, progress=lambda *call: calls.append(call)
    )
    assert accuracy.images == 11
    assert accuracy.overall == pytest.approx(np.mean(pixels[:, :3].argmax(1) == labels))
    assert calls[-1][0] == calls[-1][1] == len(calls) == -(-11 // batch_size)


def test_class_names():
    images = np.zeros((3, 2, 2, 1), "uint8")
    assert class_names(ArraySource(images, [0, 2, 1], ["a", "b", "c"])) == ("a", "b", "c")
    assert class_names(ArraySource(images, [0, 2, 1])) == ("0", "1", "2")
    with pytest.raises(ValueError, match="must have labels"):
        class_names(ArraySource(images))
