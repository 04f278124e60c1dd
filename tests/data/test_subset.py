import numpy as np
import pytest

from sweet_keras.data import ArraySource, Source, Subset, holdout


@pytest.fixture
def source(rng):
    images = rng.integers(0, 256, (100, 3, 3, 1), np.uint8)
    return ArraySource(images, np.repeat([0, 1, 2], [60, 30, 10]), classes="abc", name="letters")


def test_subset_gives_the_records_named(source):
    subset = Subset(source, [5, 99, 61])
    assert len(subset) == 3
    assert (subset.name, subset.classes, subset.image_shape) == ("letters", tuple("abc"), (3, 3, 1))
    np.testing.assert_array_equal(subset[1]["image"], source[99]["image"])
    np.testing.assert_array_equal(subset[-1]["image"], source[61]["image"])
    np.testing.assert_array_equal(subset.labels, [0, 2, 1])
    np.testing.assert_array_equal(subset.read([2, 0])[0], source.images[[61, 5]])
    with pytest.raises(IndexError):
        subset[3]


def test_subset_of_a_subset(source):
    inner = Subset(Subset(source, range(50, 100)), [0, 49])
    np.testing.assert_array_equal(inner.read([0, 1])[0], source.images[[50, 99]])


@pytest.mark.parametrize("indices", [[0, 0], [-1], [100], [0.5], [[1, 2]]])
def test_subset_refuses(source, indices):
    with pytest.raises(ValueError, match=r"`indices` must .*Received: "):
        Subset(source, indices)


def test_holdout_is_a_partition_with_the_shares_of_the_classes(source):
    rest, held = holdout(source, 0.2, seed=3)
    assert sorted([*rest.indices, *held.indices]) == list(range(100))
    np.testing.assert_array_equal(np.bincount(held.labels), [12, 6, 2])
    assert list(held.indices) == sorted(held.indices)


def test_holdout_depends_on_the_seed_only(source):
    first, again, other = (holdout(source, 0.2, seed=seed)[1].indices for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_holdout_without_labels(source):
    rest, held = holdout(ArraySource(source.images), 0.25)
    assert (len(rest), len(held)) == (75, 25)


@pytest.mark.parametrize("fraction", [0, 1, -0.5, 0.001])
def test_holdout_refuses(source, fraction):
    with pytest.raises(ValueError, match="fraction=" + str(fraction)):
        holdout(source, fraction)


class Stripes(Source):
    """Written by a user: nothing but the abstract methods."""

    name, classes, has_labels, image_shape = "stripes", None, True, (8, 8, 1)

    def __len__(self):
        return 8

    def __getitem__(self, index):
        position = self._position(index)
        image = np.zeros((8, 8, 1), np.uint8)
        image[position] = 255
        return {"image": image, "label": position % 2}


def test_a_source_written_by_the_user():
    source = Stripes()
    np.testing.assert_array_equal(source.labels, [0, 1] * 4)
    images, labels = Subset(source, [3, 4]).read([1])
    assert images.shape == (1, 8, 8, 1) and images[0, 4].min() == 255 and labels.tolist() == [0]
    assert repr(source) == "Stripes(name='stripes', records=8)"
