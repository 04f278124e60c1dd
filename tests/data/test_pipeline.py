import itertools

import grain
import numpy as np
import pytest
from PIL import Image

from sweet_keras.data import (
    ArraySource,
    Augmentation,
    ImageFolder,
    Source,
    pipeline,
    steps_per_epoch,
)
from sweet_keras.data.batch_reader import BatchReader

SHAPE = (6, 6, 1)


@pytest.fixture
def source():
    """23 images, each of one colour: its own number; labels likewise."""
    numbers = np.arange(23, dtype=np.uint8)
    return ArraySource(np.broadcast_to(numbers[:, None, None, None], (23, *SHAPE)), numbers)


@pytest.fixture
def folder(tmp_path, rng):
    """Pictures of different sizes in two classes."""
    for index in range(9):
        path = tmp_path / f"class{index % 2}" / f"{index}.png"
        path.parent.mkdir(exist_ok=True)
        size = rng.integers(20, 90, 2)
        Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).save(path)
    return ImageFolder(tmp_path)


def take(batches, count):
    return list(itertools.islice(batches, count))


def assert_equal_batches(left, right):
    assert len(left) == len(right)
    for first, second in zip(left, right, strict=True):
        for a, b in zip(
            first if isinstance(first, tuple) else (first,),
            second if isinstance(second, tuple) else (second,),
            strict=True,
        ):
            np.testing.assert_array_equal(a, b)


def test_shapes_and_types(source):
    batches = pipeline(source, 5, image_shape=SHAPE, labels=True, augment="mae")
    assert isinstance(batches, grain.IterDataset)
    images, labels = next(iter(batches))
    assert images.shape == (5, *SHAPE) and images.dtype == np.uint8 and images.flags.writeable
    assert labels.shape == (5,) and labels.dtype == np.int32
    np.testing.assert_array_equal(images[:, 0, 0, 0], labels)
    assert isinstance(next(iter(pipeline(source, 5, image_shape=SHAPE))), np.ndarray)


def test_an_epoch_has_no_record_twice_and_every_epoch_its_own_order(source):
    steps = steps_per_epoch(source, 5)
    assert steps == 4
    batches = take(pipeline(source, 5, image_shape=SHAPE, labels=True), 3 * steps)
    epochs = [
        np.concatenate([labels for _, labels in batches[start : start + steps]])
        for start in range(0, 3 * steps, steps)
    ]
    for epoch in epochs:
        assert len(np.unique(epoch)) == 20
    assert not any(np.array_equal(a, b) for a, b in itertools.combinations(epochs, 2))
    # The three that are left out differ from epoch to epoch.
    assert len({frozenset(range(23)) - frozenset(epoch.tolist()) for epoch in epochs}) > 1


@pytest.mark.parametrize("repeat", [False, True])
def test_every_record_once_without_drop_remainder(source, repeat):
    batches = pipeline(
        source, 5, image_shape=SHAPE, labels=True, drop_remainder=False, repeat=repeat
    )
    assert steps_per_epoch(source, 5, drop_remainder=False) == 5
    labels = [labels for _, labels in take(batches, 5)]
    assert [len(batch) for batch in labels] == [5, 5, 5, 5, 3]
    assert sorted(np.concatenate(labels).tolist()) == list(range(23))
    assert len(take(batches, 12)) == (12 if repeat else 5)


def test_in_order_without_shuffle(source):
    batches = pipeline(
        source,
        10,
        image_shape=SHAPE,
        labels=True,
        shuffle=False,
        repeat=False,
        drop_remainder=False,
    )
    for _ in range(2):
        found = list(batches)
        assert np.concatenate([labels for _, labels in found]).tolist() == list(range(23))
        np.testing.assert_array_equal(np.concatenate([x for x, _ in found]), source.images)


def test_the_order_is_uniform(source):
    first = [
        next(iter(pipeline(source, 1, image_shape=SHAPE, labels=True, seed=seed)))[1][0]
        for seed in range(460)
    ]
    counts = np.bincount(first, minlength=23)
    assert ((counts - 20) ** 2 / 20).sum() < 48.3  # chi-squared, 22 degrees of freedom, p = 0.001


def test_neighbouring_seeds_share_no_epoch(source):
    def epochs(seed):
        batches = take(pipeline(source, 23, image_shape=SHAPE, labels=True, seed=seed), 4)
        return {tuple(labels.tolist()) for _, labels in batches}

    assert len(epochs(0) | epochs(1) | epochs(2)) == 12


@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize("start_step", [1, 3, 4, 9])
def test_resumed_batches_are_the_same(source, start_step, workers):
    options = dict(image_shape=SHAPE, labels=True, augment="mae", seed=7)
    whole = take(pipeline(source, 5, **options), 15)
    resumed = pipeline(source, 5, start_step=start_step, workers=workers, **options)
    assert_equal_batches(whole[start_step:], take(resumed, 15 - start_step))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_folder_of_different_sizes(folder, workers):
    options = dict(image_shape=(16, 24, 3), labels=True, augment="mae", seed=1)
    whole = take(pipeline(folder, 4, **options), 7)
    assert whole[0][0].shape == (4, 16, 24, 3)
    again = pipeline(folder, 4, start_step=3, workers=workers, **options)
    assert_equal_batches(whole[3:], take(again, 4))
    other = take(pipeline(folder, 4, **{**options, "seed": 2}), 1)
    assert not np.array_equal(whole[0][0], other[0][0])


def test_evaluation_of_a_folder_is_a_central_crop(folder):
    batches = pipeline(folder, 9, image_shape=(10, 10, 3), labels=True, shuffle=False, repeat=False)
    [(images, labels)] = list(batches)
    assert labels.tolist() == folder.labels.tolist()
    for image, record in zip(images, folder, strict=True):
        height, width = record["image"].shape[:2]
        side = min(height, width)
        box = ((width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2)
        expected = Image.fromarray(record["image"]).resize((10, 10), Image.Resampling.BICUBIC, box)
        np.testing.assert_array_equal(image, np.asarray(expected))


def test_small_images_give_the_same_one_by_one_and_together(rng):
    # Away from black and white, where pillow clips more often.
    source = ArraySource(rng.integers(64, 192, (40, 20, 24, 3), np.uint8), np.arange(40))
    readers = [
        BatchReader(source, 16, (18, 12, 3), Augmentation.of("mae"), True, True, 5, 2)
        for _ in range(2)
    ]
    assert readers[0].dense
    readers[1].dense = False
    for step in range(3):
        (together, labels), (apart, labels_apart) = (reader(step) for reader in readers)
        np.testing.assert_array_equal(labels, labels_apart)
        assert np.abs(together.astype(int) - apart).max() <= 2


def test_flip_alone(rng):
    images = rng.integers(0, 256, (200, 4, 5, 1), np.uint8)
    augment = Augmentation(scale=None, center_fraction=1.0, flip=0.3)
    batches = pipeline(
        ArraySource(images), 200, image_shape=(4, 5, 1), augment=augment, shuffle=False
    )
    first, second = take(batches, 2)
    flipped = [
        np.array_equal(got, image[:, ::-1]) for got, image in zip(first, images, strict=True)
    ]
    same = [np.array_equal(got, image) for got, image in zip(first, images, strict=True)]
    assert np.all(np.array(flipped) ^ np.array(same)) and 35 < sum(flipped) < 85
    assert not np.array_equal(first, second)
    assert ArraySource(images).images is images and np.array_equal(images[0], first[0]) == same[0]


def test_augmentation_does_not_touch_the_source(source):
    before = source.images.copy()
    take(pipeline(source, 5, image_shape=SHAPE, augment="mae"), 10)
    take(pipeline(source, 5, image_shape=SHAPE, augment=Augmentation(scale=None, flip=1.0)), 10)
    np.testing.assert_array_equal(source.images, before)


def test_a_broken_image_raises_with_its_path(folder):
    folder.files[5].write_bytes(b"")
    for workers in (0, 2):
        batches = pipeline(folder, 3, image_shape=(8, 8, 3), workers=workers)
        with pytest.raises(ValueError, match=folder.files[5].name + ": unreadable image"):
            take(batches, 3)


class Odd(Source):
    """Says less about its images than the pipeline finds out."""

    name, classes, has_labels, image_shape = "odd", None, True, (None, None, None)

    def __init__(self, image, label=0):
        self.record = {"image": image, "label": label}

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return self.record


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Odd(np.zeros((5, 5, 3), np.uint8)), r"uint8 of shape \(height, width, 1\).*\(5, 5, 3\)"),
        (Odd(np.zeros((5, 5, 1))), "float64"),
        (Odd(np.zeros((5, 5), np.uint8)), r"\(5, 5\)"),
        (Odd(np.zeros((5, 5, 1), np.uint8), label=-1), "label -1 at record"),
    ],
)
def test_records_that_do_not_fit(source, message):
    with pytest.raises(ValueError, match=message):
        next(iter(pipeline(source, 2, image_shape=SHAPE, labels=True)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size=0"),
        ({"batch_size": 2.5}, "batch_size=2.5"),
        ({"batch_size": True}, "batch_size=True"),
        ({"batch_size": 24}, "batch_size=24"),
        ({"batch_size": 24, "repeat": False}, "batch_size=24"),
        ({"image_shape": (6, 6)}, r"image_shape=\(6, 6\)"),
        ({"image_shape": (6, 6, 3)}, "1 channels"),
        ({"image_shape": (0, 6, 1)}, "image_shape=0"),
        ({"augment": "strong"}, "augment='strong'"),
        ({"seed": -1}, "seed=-1"),
        ({"start_step": -1}, "start_step=-1"),
        ({"start_step": 4, "repeat": False}, "start_step=4"),
        ({"workers": -1}, "workers=-1"),
    ],
)
def test_refuses(source, options, message):
    with pytest.raises(ValueError, match=rf"Received: .*{message}|{message}.*Received: "):
        pipeline(source, **{"batch_size": 5, "image_shape": SHAPE, **options})


def test_refuses_sources(source):
    with pytest.raises(ValueError, match="with labels"):
        pipeline(ArraySource(source.images), 5, image_shape=SHAPE, labels=True)
    with pytest.raises(ValueError, match="must not be empty"):
        pipeline(ArraySource(source.images[:0]), 5, image_shape=SHAPE)
    with pytest.raises(ValueError, match="ndarray"):
        pipeline(source.images, 5, image_shape=SHAPE)
