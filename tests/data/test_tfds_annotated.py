"""Annotated datasets written and read with tensorflow-datasets, without TensorFlow."""

from importlib.util import find_spec

import numpy as np
import pytest
from run_program import run_program

pytestmark = pytest.mark.skipif(
    find_spec("tensorflow_datasets") is None or find_spec("array_record") is None,
    reason="tensorflow-datasets is not installed",
)

PROGRAM = """
import io, json, pickle, sys, warnings
import numpy as np
import tensorflow_datasets as tfds
from PIL import Image
from sweet_keras.data import TFDSAnnotated, open_annotated

folder = sys.argv[1]
LABELS = tfds.features.ClassLabel(names=["owl", "jay", "crow"])


def png(pixels, kind="PNG", **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    file.seek(0)
    return file


class TinyBoxes(tfds.core.GeneratorBasedBuilder):
    VERSION = tfds.core.Version("1.0.0")
    FEATURES = {
        "image": tfds.features.Image(shape=(None, None, 3)),
        "image/id": np.int64,
        "objects": tfds.features.Sequence({
            "bbox": tfds.features.BBoxFeature(), "label": LABELS, "is_crowd": np.bool_,
            "area": np.int64,
        }),
        "segmentation_mask": tfds.features.Image(shape=(None, None, 1), use_colormap=False),
    }

    def _info(self):
        features = tfds.features.FeaturesDict(self.FEATURES)
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, manager):
        return {"train": self._generate_examples(6), "validation": self._generate_examples(2)}

    def _generate_examples(self, count):
        for index in range(count):
            size = 10 + index, 20
            # Gray and coloured files by turns, as in COCO.
            pixels = np.full((*size, 3) if index % 2 else size, index * 10, np.uint8)
            box = tfds.features.BBox(ymin=2 / size[0], xmin=0.25, ymax=8 / size[0], xmax=0.75)
            yield index, {
                "image": png(pixels),
                "image/id": 100 + index,
                "objects": [
                    {"bbox": box, "label": k % 3, "is_crowd": k == 2, "area": 5 * k}
                    for k in range(index)
                ],
                "segmentation_mask": png(np.full(size, index % 4, np.uint8)),
            }


class TinyMasks(TinyBoxes):
    FEATURES = {
        "image": tfds.features.Tensor(shape=(8, 9, 3), dtype=np.uint8),
        "segmentation_mask": tfds.features.LabeledImage(
            labels=["sky", "road"], shape=(None, None, 1)
        ),
    }

    def _generate_examples(self, count):
        for index in range(count):
            yield index, {
                "image": np.full((8, 9, 3), index, np.uint8),
                "segmentation_mask": png(np.full((8, 9), (index % 2) * 255, np.uint8)),
            }


class TinyBroken(TinyBoxes):
    FEATURES = {
        "image": tfds.features.Image(shape=(None, None, 3)),
        "objects": tfds.features.Sequence({
            "bbox": tfds.features.BBoxFeature(), "label": tfds.features.Scalar(np.int64),
        }),
        "segmentation_mask": tfds.features.Image(shape=(None, None, 1)),
    }
    FEATURES["objects"] = tfds.features.Sequence({
        "bbox": tfds.features.BBoxFeature(), "label": LABELS,
    })

    def _generate_examples(self, count):
        thin = tfds.features.BBox(ymin=0.5, xmin=0.5, ymax=0.5, xmax=0.9)
        wide = tfds.features.BBox(ymin=0.0, xmin=0.0, ymax=1.0, xmax=1.0)
        for index in range(count):
            image = png(np.full((8, 9, 3), index, np.uint8))
            if index == 1:
                image = io.BytesIO(image.getvalue()[:45])
            size = (9, 8) if index == 2 else (8, 9)
            boxes = [wide, thin] if index == 3 else [wide]
            yield index, {
                "image": image,
                "objects": [
                    {"bbox": box, "label": -1 if index == 4 else 0} for box in boxes
                ],
                "segmentation_mask": png(np.zeros(size, np.uint8)),
            }


def plain(record):
    return {key: np.asarray(value).tolist() for key, value in record.items()}


def error_of(call):
    try:
        call()
    except ValueError as error:
        return str(error)


tfds.disable_progress_bar()
for builder in (TinyBoxes, TinyMasks, TinyBroken):
    builder(data_dir=folder, file_format="array_record").download_and_prepare()
boxes = TFDSAnnotated("tiny_boxes", data_dir=folder)
both = TFDSAnnotated("tiny_boxes", data_dir=folder, masks=True, channels=1)
masks = open_annotated("tfds:tiny_masks", "validation", task="segment", data_dir=folder)
named = TFDSAnnotated("tiny_boxes", data_dir=folder, classes=("crow", "wren", "jay", "owl"))
broken = TFDSAnnotated("tiny_broken", data_dir=folder, masks=True)
broken_errors = [error_of(lambda i=i: broken[i]) for i in range(len(broken))]
with warnings.catch_warnings():
    warnings.simplefilter("error")
    pickle.loads(pickle.dumps(boxes))[0]
skipped = TFDSAnnotated("tiny_broken", data_dir=folder, masks=True, on_error="skip")
raising = TFDSAnnotated("tiny_broken", data_dir=folder)
result = {
    "frameworks": [n for n in ("tensorflow", "torch", "jax", "keras") if n in sys.modules],
    "boxes": [plain(boxes[i]) for i in range(len(boxes))],
    "again": [plain(boxes[i - len(boxes)]) for i in range(len(boxes))],
    "annotations": [plain(boxes.annotation(i)) for i in range(len(boxes))],
    "classes": [boxes.classes, boxes.mask_classes, boxes.has_masks, boxes.has_boxes],
    "dtypes": [str(boxes[0][k].dtype) for k in ("boxes", "classes", "crowd", "areas")],
    "part": len(TFDSAnnotated("tiny_boxes", "train[:50%]", data_dir=folder)),
    "both": [plain(record) for record in both],
    "both classes": [both.classes, both.mask_classes, both.has_masks, both.has_boxes],
    "masks": [plain(record) for record in masks],
    "masks classes": [masks.classes, masks.mask_classes, masks.has_masks, masks.has_boxes],
    "named": [plain(named.annotation(i)) for i in range(len(named))],
    "errors": [
        error_of(lambda: TFDSAnnotated("tiny_boxes", "test", data_dir=folder)),
        error_of(lambda: TFDSAnnotated("tiny_masks", data_dir=folder)),
        error_of(lambda: TFDSAnnotated("tiny_boxes", data_dir=folder, classes=("owl",))),
        error_of(lambda: TFDSAnnotated("tiny_boxes", data_dir=folder, on_error="ignore")),
    ],
    "broken": broken_errors,
    "skipped": [[int(r["image"].max()), len(r["boxes"])] for r in skipped],
    "skipped problems": [skipped.problems, skipped.dropped_boxes],
}
print(json.dumps(result))
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return run_program(PROGRAM, tmp_path_factory.mktemp("tfds"))


def expected_objects(count):
    return {
        "boxes": [[5, 2, 15, 8]] * count,
        "classes": [k % 3 for k in range(count)],
        "crowd": [k == 2 for k in range(count)],
        # The first object has no area in the dataset: that of its box.
        "areas": [5 * k if k else 60 for k in range(count)],
    }


def check_objects(record, expected):
    for key, value in expected.items():
        assert np.shape(record[key]) == np.shape(value) or not value
        np.testing.assert_allclose(record[key], value, rtol=1e-5)


def test_boxes(result):
    assert result["classes"] == [["owl", "jay", "crow"], None, False, True]
    assert result["dtypes"] == ["float32", "int32", "bool", "float32"]
    assert sorted(record["id"] for record in result["boxes"]) == list(range(100, 106))
    for record in result["boxes"]:
        index = record["id"] - 100
        assert set(record) == {"image", "id", "boxes", "classes", "crowd", "areas"}
        assert np.shape(record["image"]) == (10 + index, 20, 3)
        assert np.unique(record["image"]).tolist() == [10 * index]
        check_objects(record, expected_objects(index))
    assert result["again"] == result["boxes"] and result["part"] == 3


def test_annotations_are_the_records_without_pixels(result):
    for annotation, record in zip(result["annotations"], result["boxes"], strict=True):
        assert annotation.pop("image_size") == [10 + record["id"] - 100, 20]
        assert annotation == {key: value for key, value in record.items() if key != "image"}


def test_masks_beside_boxes(result):
    assert result["both classes"] == [["owl", "jay", "crow"], None, True, True]
    for record in result["both"]:
        index = record["id"] - 100
        assert np.shape(record["image"]) == (10 + index, 20, 1)
        np.testing.assert_array_equal(record["mask"], np.full((10 + index, 20), index % 4))
        check_objects(record, expected_objects(index))


def test_masks_only(result):
    names = ["sky", "road"]
    assert result["masks classes"] == [names, names, True, False] and len(result["masks"]) == 2
    for record in result["masks"]:
        index = record["image"][0][0][0]
        assert set(record) == {"image", "id", "mask"}
        np.testing.assert_array_equal(record["mask"], np.full((8, 9), (index % 2) * 255))


def test_given_classes_fix_the_labels(result):
    order = {0: 3, 1: 2, 2: 0}
    for record in result["named"]:
        labels = expected_objects(record["id"] - 100)["classes"]
        assert record["classes"] == [order[label] for label in labels]


def test_errors(result):
    assert "['train', 'validation']" in result["errors"][0]
    assert "`image` and `objects`" in result["errors"][1]
    assert "`classes` must hold the names" in result["errors"][2]
    assert "`on_error`" in result["errors"][3]
    broken = [error for error in result["broken"] if error is not None]
    assert len(broken) == 3 and all("tiny_broken train: record " in error for error in broken)
    for reason in ("unreadable image", "must be as large as its image", "label -1"):
        assert sum(reason in error for error in broken) == 1


def test_skipping(result):
    assert sorted(result["skipped"]) == [[0, 1], [3, 1], [4, 0], [5, 1]]
    problems, dropped = result["skipped problems"]
    assert len(problems) == 4 and dropped == 2


def test_no_framework_is_imported(result):
    assert result["frameworks"] == []
