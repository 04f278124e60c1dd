import itertools
import os
import pickle
import subprocess
import sys

import grain
import numpy as np
import pytest

from sweet_keras.data import (
    AnnotatedSource,
    ArraySource,
    ScaleJitter,
    Subset,
    annotated_pipeline,
    convert_boxes,
    count_boxes,
    holdout,
    steps_per_epoch,
)

SHAPE = (24, 32, 3)
CLASSES = ("red", "green", "blue")


class Rectangles(AnnotatedSource):
    """Dark pictures of several sizes with bright rectangles of the colour of their class.

    In all records but every fifth, which is empty. The last object of a record is a crowd if it
    has more than two.
    """

    name, image_shape, classes = "rectangles", (None, None, 3), CLASSES
    mask_classes, problems, dropped_boxes = ("background", *CLASSES), ("one line",), 2
    has_boxes = has_masks = True

    def __init__(self, rng, records=23):
        self.records = []
        for position in range(records):
            height, width = map(int, rng.integers(30, 60, 2))
            image = rng.integers(0, 50, (height, width, 3), np.uint8)
            mask = np.zeros((height, width), np.uint8)
            count = 0 if position % 5 == 4 else 1 + position % 3
            boxes, classes = np.zeros((count, 4), np.float32), np.zeros(count, np.int32)
            for row in range(count):
                # Beside each other, so that none hides another.
                slot = width // count
                left, wide = row * slot, rng.integers(7, slot) if slot > 7 else slot
                top = rng.integers(0, height - 12)
                high = rng.integers(7, height - top)
                label = (position + row) % 3
                image[top : top + high, left : left + wide, label] = 250
                mask[top : top + high, left : left + wide] = label + 1
                boxes[row], classes[row] = (left, top, left + wide, top + high), label
            crowd = np.arange(count) >= 2
            self.records.append(
                {
                    "image": image,
                    "id": f"picture {position}",
                    "boxes": boxes,
                    "classes": classes,
                    "crowd": crowd,
                    "areas": np.prod(boxes[:, 2:] - boxes[:, :2], axis=-1),
                    "mask": mask,
                }
            )

    def __len__(self):
        return len(self.records)

    def __getitem__(self, index):
        return self.records[self._position(index)]

    def annotation(self, index):
        record = dict(self[index])
        return {"image_size": record.pop("image").shape[:2], "mask": record.pop("mask")} | record


@pytest.fixture
def source(rng):
    return Rectangles(rng)


def take(batches, count):
    return list(itertools.islice(batches, count))


def flat(batch):
    """The arrays of a batch."""
    images, targets = batch
    return [images, *(targets.values() if isinstance(targets, dict) else [targets])]


def assert_equal_batches(left, right):
    assert len(left) == len(right)
    for first, second in zip(left, right, strict=True):
        for a, b in zip(flat(first), flat(second), strict=True):
            np.testing.assert_array_equal(a, b)


def bright(plane):
    """The bounding box of what is bright in a plane."""
    rows, columns = np.nonzero(plane > 150)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


def test_shapes_and_types(source):
    batches = annotated_pipeline(source, 5, image_shape=SHAPE, max_boxes=4)
    assert isinstance(batches, grain.IterDataset)
    images, targets = next(iter(batches))
    assert images.shape == (5, *SHAPE) and images.dtype == np.uint8
    assert list(targets) == ["boxes", "classes"]
    assert targets["boxes"].shape == (5, 4, 4) and targets["boxes"].dtype == np.float32
    assert targets["classes"].shape == (5, 4) and targets["classes"].dtype == np.float32
    images, masks = next(iter(annotated_pipeline(source, 5, image_shape=SHAPE, task="segment")))
    assert images.shape == (5, *SHAPE) and images.dtype == np.uint8
    assert masks.shape == (5, *SHAPE[:2]) and masks.dtype == np.int32
    _, targets = next(iter(annotated_pipeline(source, 5, image_shape=SHAPE, label_key="labels")))
    assert list(targets) == ["boxes", "labels"]
    assert targets["boxes"].shape == (5, 2, 4)  # two at most, without crowds


@pytest.mark.parametrize("augment", [None, "detect", "segment"])
def test_boxes_masks_and_pixels_agree(source, augment):
    options = dict(image_shape=SHAPE, augment=augment, seed=3)
    detect = take(annotated_pipeline(source, 4, task="detect", **options), 12)
    segment = take(annotated_pipeline(source, 4, task="segment", **options), 12)
    seen = 0
    for (images, targets), (same, masks) in zip(detect, segment, strict=True):
        np.testing.assert_array_equal(images, same)
        for image, mask, boxes, classes in zip(
            images, masks, targets["boxes"], targets["classes"], strict=True
        ):
            real = classes >= 0
            np.testing.assert_array_equal(real, (boxes != -1).any(-1))
            for box, label in zip(boxes[real], classes[real].astype(int), strict=True):
                if (classes == label).sum() > 1:
                    continue
                np.testing.assert_allclose(bright(image[..., label]), box, atol=1)
                rows, columns = np.nonzero(mask == label + 1)
                bounds = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
                np.testing.assert_allclose(bounds, box, atol=1)
                seen += 1
            assert (image[mask == 255] == 127).all()
    assert seen > 20


def test_the_letterbox_keeps_every_object_but_crowds(source):
    batches = annotated_pipeline(
        source, 23, image_shape=(60, 60, 3), shuffle=False, repeat=False, max_boxes=2
    )
    [(images, targets)] = list(batches)
    for record, image, boxes, classes in zip(
        source, images, targets["boxes"], targets["classes"], strict=True
    ):
        expected = record["classes"][~record["crowd"]]
        np.testing.assert_array_equal(classes[: len(expected)], expected)
        assert (classes[len(expected) :] == -1).all() and (boxes[len(expected) :] == -1).all()
        height, width = record["image"].shape[:2]
        scale = min(60 / height, 60 / width)
        original = record["boxes"][~record["crowd"]]
        np.testing.assert_allclose(boxes[: len(expected)], original * scale, atol=0.6)
        below, beside = round(height * scale), round(width * scale)
        assert (image[below:] == 127).all() and (image[:, beside:] == 127).all()
    assert {*targets["classes"].ravel().tolist()} == {-1, 0, 1, 2}


def test_an_image_without_boxes_is_all_padding(source):
    few = Subset(source, [4, 9, 14])
    images, targets = next(iter(annotated_pipeline(few, 3, image_shape=SHAPE)))
    assert targets["boxes"].shape == (3, 1, 4)
    assert (targets["boxes"] == -1).all() and (targets["classes"] == -1).all()
    assert (images != 127).any()


def test_more_boxes_than_rows_keeps_the_largest(source, rng):
    boxes = np.array([[0, 0, 10, 10], [0, 0, 30, 30], [5, 5, 20, 20], [1, 1, 4, 4]], np.float32)
    source.records = [
        {
            "image": np.zeros((30, 40, 3), np.uint8),
            "boxes": boxes,
            "classes": np.array([0, 1, 2, 1]),
            "crowd": np.array([False, True, False, False]),
        }
    ]
    size = (30, 40, 3)
    _, targets = next(iter(annotated_pipeline(source, 1, image_shape=size, max_boxes=2)))
    np.testing.assert_array_equal(targets["boxes"][0], boxes[[0, 2]])
    assert targets["classes"][0].tolist() == [0, 2]
    _, targets = next(iter(annotated_pipeline(source, 1, image_shape=size, max_boxes=1)))
    np.testing.assert_array_equal(targets["boxes"][0], boxes[[2]])


def test_counting_boxes_leaves_out_crowds(source):
    expected = [0 if k % 5 == 4 else min(2, 1 + k % 3) for k in range(23)]
    counts = count_boxes(source)
    assert counts.dtype == np.int32 and counts.tolist() == expected
    assert count_boxes(Subset(source, [2, 4])).tolist() == [2, 0]


@pytest.mark.parametrize(
    "box_format", ["xywh", "center_xywh", "yxyx", "rel_xyxy", "rel_yxyx", "rel_xywh"]
)
def test_other_formats(source, box_format):
    options = dict(image_shape=SHAPE, augment="detect")
    for (_, plain), (_, other) in zip(
        take(annotated_pipeline(source, 5, **options), 3),
        take(annotated_pipeline(source, 5, box_format=box_format, **options), 3),
        strict=True,
    ):
        back = convert_boxes(other["boxes"], box_format, "xyxy", SHAPE)
        np.testing.assert_allclose(back, plain["boxes"], atol=1e-4)
        if box_format.startswith("rel"):
            assert other["boxes"].max() <= 1


@pytest.mark.parametrize("task", ["detect", "segment"])
@pytest.mark.parametrize(("start_step", "workers"), [(1, 0), (4, 2), (9, 0), (9, 3)])
def test_resumed_batches_are_the_same(source, task, start_step, workers):
    options = dict(image_shape=SHAPE, task=task, augment=task, seed=7)
    whole = take(annotated_pipeline(source, 5, **options), 12)
    resumed = annotated_pipeline(source, 5, start_step=start_step, workers=workers, **options)
    assert_equal_batches(whole[start_step:], take(resumed, 12 - start_step))
    other = take(annotated_pipeline(source, 5, **{**options, "seed": 8}), 1)
    assert not np.array_equal(whole[0][0], other[0][0])


def test_every_step_and_every_row_has_a_window_of_its_own(source):
    source.records = source.records[:1] * 6
    # Large, so that there are some 20,000 places: of few, two in twelve would often be the same.
    augment = ScaleJitter(scale=(3.0, 5.0))
    batches = take(annotated_pipeline(source, 3, image_shape=SHAPE, augment=augment), 4)
    images = [image.tobytes() for images, _ in batches for image in images]
    assert len(set(images)) == 12


def test_an_epoch_has_every_record_once(source):
    for position, record in enumerate(source.records):
        record["image"] = np.full_like(record["image"], position)
    batches = annotated_pipeline(source, 5, image_shape=SHAPE, drop_remainder=False)
    assert steps_per_epoch(source, 5, drop_remainder=False) == 5
    epochs = take(batches, 10)
    first, second = (
        [int(image[0, 0, 0]) for images, _ in epochs[start : start + 5] for image in images]
        for start in (0, 5)
    )
    assert sorted(first) == sorted(second) == list(range(23))
    assert first != second and [len(images) for images, _ in epochs[:5]] == [5, 5, 5, 5, 3]


def test_the_source_is_left_as_it_was(source):
    before = pickle.dumps(source.records)
    options = dict(image_shape=SHAPE, augment=ScaleJitter(flip=1.0))
    take(annotated_pipeline(source, 5, **options), 5)
    take(annotated_pipeline(source, 5, task="segment", **options), 5)
    assert pickle.dumps(source.records) == before


def test_parts_of_an_annotated_source_are_annotated(source):
    subset = Subset(source, [7, 2, 11], name="few")
    part = Subset(subset, [2, 0])
    assert isinstance(part, AnnotatedSource) and isinstance(part, Subset)
    assert (part.name, part.classes, len(part)) == ("few", CLASSES, 2)
    for name in ("has_boxes", "has_masks", "mask_classes", "problems", "dropped_boxes"):
        assert getattr(part, name) == getattr(source, name)
    assert part[0]["id"] == part.annotation(0)["id"] == "picture 11"
    assert part.annotation(-1)["image_size"] == source[7]["image"].shape[:2]
    with pytest.raises(IndexError):
        part.annotation(2)
    assert part.labels is None
    again = pickle.loads(pickle.dumps(part))  # noqa: S301
    assert type(again) is type(part) and again.annotation(1)["id"] == "picture 7"
    assert not isinstance(
        Subset(ArraySource(np.zeros((3, 2, 2, 1), "uint8")), [0]), AnnotatedSource
    )


def test_holdout_of_an_annotated_source(source):
    rest, held = holdout(source, 0.25)
    assert isinstance(held, AnnotatedSource) and (len(rest), len(held)) == (17, 6)
    images, targets = next(iter(annotated_pipeline(held, 6, image_shape=SHAPE)))
    assert images.shape == (6, *SHAPE) and (targets["classes"] >= 0).any()


BROKEN = [
    ("detect", {"boxes": np.zeros((1, 4), np.float32)}, "proper"),
    ("detect", {"boxes": np.array([[0, 0, np.nan, 5]], np.float32)}, "proper"),
    ("detect", {"classes": np.array([0, 1])}, "proper"),
    ("detect", {"crowd": np.zeros(2, bool)}, "proper"),
    ("detect", {"classes": np.array([3])}, r"\[0, 3\).*classes \[3\]"),
    ("detect", {"classes": np.array([-1])}, r"\[0, 3\)"),
    ("detect", {"image": np.zeros((9, 9, 1), np.uint8)}, r"\(9, 9, 1\)"),
    ("segment", {"mask": np.zeros((9, 8), np.uint8)}, r"\(9, 9\).*\(9, 8\)"),
    ("segment", {"mask": np.zeros((9, 9), np.int32)}, "int32"),
    ("segment", {"mask": np.full((9, 9), 4, np.uint8)}, r"\[0, 4\).*values \[4\]"),
]


@pytest.mark.parametrize(("task", "broken", "message"), BROKEN)
def test_records_that_do_not_fit(source, task, broken, message):
    sound = {
        "image": np.zeros((9, 9, 3), np.uint8),
        "boxes": np.array([[1, 1, 5, 5]], np.float32),
        "classes": np.array([2]),
        "crowd": np.array([False]),
        "mask": np.full((9, 9), 3, np.uint8),
    }
    options = dict(image_shape=SHAPE, task=task, max_boxes=1 if task == "detect" else None)
    source.records = [sound]
    next(iter(annotated_pipeline(source, 1, **options)))
    source.records = [sound | broken]
    with pytest.raises(ValueError, match=f"(?s){message}") as raised:
        next(iter(annotated_pipeline(source, 1, **options)))
    assert "record 0" in str(raised.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "classify"}, "task='classify'"),
        ({"box_format": "yxhw"}, "box_format='yxhw'"),
        ({"label_key": "class"}, "label_key='class'"),
        ({"augment": "mae"}, "augment='mae'"),
        ({"max_boxes": 0}, "max_boxes=0"),
        ({"max_boxes": 5, "task": "segment"}, "max_boxes=5"),
        ({"batch_size": 24}, "batch_size=24"),
        ({"image_shape": (24, 32)}, r"image_shape=\(24, 32\)"),
        ({"image_shape": (24, 32, 1)}, "3 channels"),
        ({"seed": -1}, "seed=-1"),
        ({"start_step": 4, "repeat": False}, "start_step=4"),
        ({"workers": -1}, "workers=-1"),
    ],
)
def test_refuses(source, options, message):
    with pytest.raises(ValueError, match=rf"Received: .*{message}|{message}.*Received: "):
        annotated_pipeline(source, **{"batch_size": 5, "image_shape": SHAPE, **options})


def test_refuses_sources_without_what_the_task_needs(source):
    with pytest.raises(ValueError, match=r"must be an AnnotatedSource.*Received: ArraySource"):
        annotated_pipeline(ArraySource(np.zeros((9, *SHAPE), "uint8")), 5, image_shape=SHAPE)
    source.has_boxes = False
    with pytest.raises(ValueError, match="needs a source with boxes"):
        annotated_pipeline(source, 5, image_shape=SHAPE)
    with pytest.raises(ValueError, match="must have boxes"):
        count_boxes(source)
    source.has_masks = False
    with pytest.raises(ValueError, match="needs a source with masks"):
        annotated_pipeline(source, 5, image_shape=SHAPE, task="segment")


PROGRAM = """
import sys
import numpy as np
from sweet_keras import data

class One(data.AnnotatedSource):
    name, classes, image_shape, mask_classes = "one", ("thing",), (8, 8, 3), ("background", "thing")
    has_boxes, has_masks, problems, dropped_boxes = True, True, (), 0
    def __len__(self):
        return 1
    def __getitem__(self, index):
        return {
            "image": np.zeros((8, 8, 3), "uint8"),
            "boxes": np.array([[0, 0, 5, 5]], "float32"),
            "classes": np.zeros(1, int),
            "crowd": np.zeros(1, bool),
            "mask": np.zeros((8, 8), "uint8"),
        }
    annotation = __getitem__

for task in ("detect", "segment"):
    next(iter(data.annotated_pipeline(One(), 1, image_shape=(8, 8, 3), task=task)))
assert "keras" not in sys.modules
"""


def test_works_without_keras(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
