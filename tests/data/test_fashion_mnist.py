import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

import sweet_keras.data.fashion_mnist  # noqa: F401  (the name below is the function all the same)
from sweet_keras import data

FOLDER = Path(data.source.__file__).parent / "fashion_mnist"
ORIGINAL = Path("/usr/share/datasets/fashion-mnist")  # Debian's package


def test_shapes_types_and_balance():
    (x_train, y_train), (x_test, y_test) = data.fashion_mnist()
    assert x_train.shape == (10_000, 28, 28, 1) and x_test.shape == (2_000, 28, 28, 1)
    assert x_train.dtype == x_test.dtype == np.uint8
    assert y_train.dtype == y_test.dtype == np.int32
    np.testing.assert_array_equal(np.bincount(y_train), [1000] * 10)
    np.testing.assert_array_equal(np.bincount(y_test), [200] * 10)
    assert len(data.FASHION_MNIST_CLASSES) == 10


def test_the_order_mixes_the_classes():
    (_, y_train), _ = data.fashion_mnist()
    for start in range(0, 10_000, 1000):
        assert np.bincount(y_train[start : start + 1000], minlength=10).min() > 50


def test_no_image_occurs_in_both_sets():
    (x_train, _), (x_test, _) = data.fashion_mnist()
    train = {image.tobytes() for image in x_train}
    assert len(train) > 9_990  # the original has a few duplicates of its own
    assert sum(image.tobytes() in train for image in x_test) <= 1


def test_the_readme_states_the_digests_of_the_file():
    stated = dict(re.findall(r"`([xy]_\w+)`.*`([0-9a-f]{64})`", (FOLDER / "README.md").read_text()))
    with np.load(FOLDER / "sample.npz", allow_pickle=False) as arrays:
        found = {name: hashlib.sha256(arrays[name].tobytes()).hexdigest() for name in arrays}
    assert stated == found
    assert (FOLDER / "sample.npz").stat().st_size < 6e6
    assert "Zalando SE" in (FOLDER / "LICENSE").read_text()


@pytest.mark.skipif(not ORIGINAL.is_dir(), reason="the whole of Fashion-MNIST is not here")
@pytest.mark.parametrize(("split", "per_class"), [("train", 1000), ("test", 200)])
def test_the_sample_is_drawn_as_the_readme_says(split, per_class):
    whole = data.read_idx(ORIGINAL, split)
    ranks = [
        hashlib.sha256(f"fashion-mnist/{split}/{position}".encode()).digest()
        for position in range(len(whole))
    ]
    expected = []
    for label in range(10):
        members = [position for position in range(len(whole)) if whole.labels[position] == label]
        expected += sorted(members, key=lambda position: ranks[position])[:per_class]
    images, labels = whole.read(sorted(expected))
    sample = data.open_source("fashion-mnist", split)
    np.testing.assert_array_equal(sample.images, images)
    np.testing.assert_array_equal(sample.labels, labels)
