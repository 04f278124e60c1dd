import numpy as np
import pytest

from sweet_keras.runs.samples import load_samples, save_samples


class Counter:
    """Makes images whose pixels are the class."""

    def __init__(self, classes):
        self.classes = classes

    def generate(self, labels, seed, steps):
        assert (seed, steps) == (3, 2)
        return np.full((len(labels), 2, 2, 1), labels[:, None, None, None], "uint8")


def test_some_of_each_class(tmp_path):
    save_samples(Counter(3), tmp_path / "s.npz", 3, count=2, steps=2)
    images, labels = load_samples(tmp_path / "s.npz")
    assert labels.tolist() == [0, 0, 1, 1, 2, 2]
    np.testing.assert_array_equal(images[:, 1, 1, 0], labels)


def test_of_many_classes_a_few(tmp_path):
    save_samples(Counter(100), tmp_path / "s.npz", 3, count=1, steps=2)
    labels = load_samples(tmp_path / "s.npz")[1]
    assert labels.tolist() == [0, 9, 18, 27, 36, 45, 54, 63, 72, 81, 90, 99]


def test_files_that_hold_no_samples(tmp_path):
    images, labels = np.zeros((2, 4, 4, 1), "uint8"), np.zeros(2, int)
    wrong = (
        {"images": images},
        {"images": images, "labels": labels[:1]},
        {"images": images.astype("float32"), "labels": labels},
        {"images": images[0], "labels": labels},
        {"images": images[:0], "labels": labels[:0]},
        {"images": images, "labels": labels + 0.5},
    )
    for arrays in wrong:
        np.savez(tmp_path / "s.npz", **arrays)
        with pytest.raises(ValueError, match=r"Expected uint8 images .* Received"):
            load_samples(tmp_path / "s.npz")
