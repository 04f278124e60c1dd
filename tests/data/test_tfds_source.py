"""A dataset written and read with tensorflow-datasets, in a process without TensorFlow."""

from importlib.util import find_spec

import pytest
from run_program import run_program

pytestmark = pytest.mark.skipif(
    find_spec("tensorflow_datasets") is None or find_spec("array_record") is None,
    reason="tensorflow-datasets is not installed",
)

PROGRAM = """
import io, itertools, json, sys
import numpy as np
import tensorflow_datasets as tfds
from PIL import Image
from sweet_keras.data import TFDSSource, open_source, pipeline

folder = sys.argv[1]


class TinyShapes(tfds.core.GeneratorBasedBuilder):
    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {
            "picture": tfds.features.Image(shape=(None, None, 3)),
            "kind": tfds.features.ClassLabel(names=["circle", "square"]),
            "file": tfds.features.Text(),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("picture", "kind"),
        )

    def _split_generators(self, manager):
        return {"train": self._generate_examples(10), "test": self._generate_examples(4)}

    def _generate_examples(self, count):
        for index in range(count):
            png = io.BytesIO()
            Image.fromarray(np.full((8 + index, 9, 3), index, np.uint8)).save(png, "PNG")
            png.seek(0)
            yield index, {"picture": png, "kind": index % 2, "file": str(index)}


class TinyNumbers(TinyShapes):
    def _info(self):
        features = {"number": tfds.features.Scalar(np.int64)}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _generate_examples(self, count):
        for index in range(count):
            yield index, {"number": index}


tfds.disable_progress_bar()
for builder in (TinyShapes, TinyNumbers):
    builder(data_dir=folder, file_format="array_record").download_and_prepare()
train = TFDSSource("tiny_shapes", "train", data_dir=folder)
errors = []
for name, split in (
    ("tiny_shapes", "val"), ("tiny_shapes", "train[:x]"), ("tiny_numbers", "train")
):
    try:
        TFDSSource(name, split, data_dir=folder)
    except ValueError as error:
        errors.append(str(error))
# grain imports jax where it finds it, so look before.
frameworks = [name for name in ("tensorflow", "torch", "jax", "keras") if name in sys.modules]
batches = pipeline(train, 5, image_shape=(7, 7, 3), labels=True, augment="mae", workers=2)
result = {
    "classes": train.classes,
    "image_shape": train.image_shape,
    "records": [[*r["image"].shape, int(r["image"].max()), r["label"]] for r in train],
    "labels": train.labels.tolist(),
    "part": len(TFDSSource("tiny_shapes", "train[:50%]", data_dir=folder)),
    "test": repr(open_source("tfds:tiny_shapes", "test", data_dir=folder)),
    "errors": errors,
    "batches": [
        [images[:, 0, 0, 0].tolist(), y.tolist()] for images, y in itertools.islice(batches, 2)
    ],
    "frameworks": frameworks,
}
print(json.dumps(result))
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return run_program(PROGRAM, tmp_path_factory.mktemp("tfds"))


def test_records(result):
    assert result["classes"] == ["circle", "square"] and result["image_shape"] == [None, None, 3]
    # The collection shuffles when it writes; each image holds its own number.
    expected = [[8 + index, 9, 3, index, index % 2] for index in range(10)]
    assert sorted(result["records"]) == expected
    assert result["labels"] == [record[-1] for record in result["records"]]


def test_splits(result):
    assert result["part"] == 5
    assert result["test"] == "TFDSSource(name='tiny_shapes', records=4)"


def test_errors(result):
    assert len(result["errors"]) == 3
    assert "['test', 'train']" in result["errors"][0] and "split='val'" in result["errors"][0]
    assert "['number']" in result["errors"][2]


def test_batches(result):
    for pixels, labels in result["batches"]:
        assert [pixel % 2 for pixel in pixels] == labels
    assert sorted(result["batches"][0][0] + result["batches"][1][0]) == list(range(10))


def test_no_framework_is_imported(result):
    assert result["frameworks"] == []
