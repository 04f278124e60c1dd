import numpy as np
import pytest

from sweet_keras.data import ArraySource, Source


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (7, 5, 4, 3), np.uint8)


def test_records(images):
    source = ArraySource(images, range(7), classes="abcdefg", name="letters")
    assert len(source) == 7 and source.name == "letters"
    assert source.image_shape == (5, 4, 3) and source.classes == tuple("abcdefg")
    for index in range(-7, 7):
        np.testing.assert_array_equal(source[index]["image"], images[index])
        assert source[index]["label"] == index % 7
    assert [record["label"] for record in source] == list(range(7))
    with pytest.raises(IndexError, match="index=7"):
        source[7]


def test_without_labels(images):
    source = ArraySource(images)
    assert source.labels is None and not source.has_labels
    assert set(source[0]) == {"image"}


def test_gray_images_get_a_channel_axis(images):
    source = ArraySource(images[..., 0])
    assert source.image_shape == (5, 4, 1) and source[3]["image"].shape == (5, 4, 1)


def test_labels_of_one_column_are_flattened(images):
    labels = np.arange(7, dtype=np.uint8)[:, None]  # as Keras's CIFAR-10 and MedMNIST have them
    source = ArraySource(images, labels)
    np.testing.assert_array_equal(source.labels, np.arange(7))
    assert source.labels.dtype == np.int32


def test_nothing_is_copied(images, tmp_path):
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    source = ArraySource(mapped)
    assert np.shares_memory(source.images, mapped)
    assert source.read([1, 2])[0].flags.writeable


def test_read_equals_records_one_by_one(images, rng):
    source = ArraySource(images, rng.integers(0, 9, 7))
    indices = rng.permutation(7)[:4]
    for batch, expected in zip(source.read(indices), Source.read(source, indices), strict=True):
        np.testing.assert_array_equal(batch, expected)
        assert batch.dtype == expected.dtype


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x / 255.0, "uint8"),
        (lambda x: x.astype(np.int64), "uint8"),
        (lambda x: x[0, 0], "shape"),
        (lambda x: x[:, :0], "shape"),
        (lambda x: x[None], "shape"),
    ],
)
def test_refuses_images(images, change, message):
    with pytest.raises(ValueError, match=rf"{message}.*Received: "):
        ArraySource(change(images))


@pytest.mark.parametrize(
    "labels",
    [range(6), np.zeros((7, 2), int), np.zeros(7), [0] * 6 + [-1], [0] * 6 + [2**31], ["a"] * 7],
)
def test_refuses_labels(images, labels):
    with pytest.raises(ValueError, match=r"`labels` must be .*Received: "):
        ArraySource(images, labels)


def test_refuses_labels_beyond_the_classes(images):
    with pytest.raises(ValueError, match=r"\[0, 3\).*from 0 to 6"):
        ArraySource(images, range(7), classes="abc")
