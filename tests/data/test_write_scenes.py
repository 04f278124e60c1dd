"""The COCO dataset of composed scenes, read back by hand, by pycocotools and by the library."""

import json

import numpy as np
import pytest
from PIL import Image

from sweet_keras.data import write_scenes as module
from sweet_keras.data.compose_scenes import SceneOptions, compose_scene
from sweet_keras.data.write_scenes import run_lengths, write_scenes

CLASSES = ("circle", "ring")
COUNT = 6
OPTIONS = SceneOptions(size=(24, 32), counts=(1, 3))


def decoded(counts, size):
    """Run by run and pixel by pixel, down the columns."""
    mask, position, inside = np.zeros(size, bool), 0, False
    for count in counts:
        for pixel in range(position, position + count):
            mask[pixel % size[0], pixel // size[0]] = inside
        position, inside = position + count, not inside
    assert position == mask.size
    return mask


@pytest.fixture(scope="module")
def objects():
    radius = np.hypot(*np.mgrid[-5.5:6, -5.5:6])
    return np.stack([np.where(radius < 6, 230, 0), np.where(abs(radius - 4) < 1.6, 200, 0)]).astype(
        "uint8"
    )


@pytest.fixture(scope="module")
def written(objects, tmp_path_factory):
    folder = tmp_path_factory.mktemp("written") / "scenes"
    steps = []
    write_scenes(
        folder,
        objects,
        np.array([0, 1]),
        CLASSES,
        "train",
        COUNT,
        seed=3,
        options=OPTIONS,
        progress=lambda done, of_all: steps.append((done, of_all)),
    )
    assert steps == [(step, COUNT) for step in range(1, COUNT + 1)]
    return folder


@pytest.fixture(scope="module")
def dataset(written):
    return json.loads((written / "annotations" / "instances_train.json").read_text())


@pytest.fixture(scope="module")
def scenes(objects):
    return [compose_scene(objects, index, "train", 3, OPTIONS) for index in range(COUNT)]


def test_files(written):
    found = sorted(str(path.relative_to(written)) for path in written.rglob("*") if path.is_file())
    pictures = [f"train/{number:06d}.png" for number in range(1, COUNT + 1)]
    assert found == ["annotations/instances_train.json", *pictures]
    for path in (written / "train", written / "annotations"):
        assert path.stat().st_mode == written.stat().st_mode


def test_images_and_categories(written, dataset, scenes):
    assert [entry["id"] for entry in dataset["images"]] == list(range(1, COUNT + 1))
    for entry, scene in zip(dataset["images"], scenes, strict=True):
        assert (entry["height"], entry["width"]) == (24, 32)
        with Image.open(written / "train" / entry["file_name"]) as image:
            assert image.mode == "L"
            np.testing.assert_array_equal(np.asarray(image), scene.image)
    named = [(entry["id"], entry["name"]) for entry in dataset["categories"]]
    assert named == [(1, "circle"), (2, "ring")]


def test_annotations(dataset, scenes):
    entries = dataset["annotations"]
    assert [entry["id"] for entry in entries] == list(range(1, len(entries) + 1))
    assert {entry["category_id"] for entry in entries} == {1, 2}
    listed = iter(entries)
    for image_id, scene in enumerate(scenes, start=1):
        for mask, label in zip(scene.masks, scene.objects, strict=True):
            entry = next(listed)
            assert entry["image_id"] == image_id and entry["category_id"] == label + 1
            assert entry["iscrowd"] == 0 and entry["area"] == mask.sum()
            x, y, width, height = entry["bbox"]
            box = np.zeros_like(mask)
            box[int(y) : int(y + height), int(x) : int(x + width)] = True
            assert not (mask & ~box).any()
            inner = mask[box].reshape(int(height), int(width))
            assert all(side.any() for side in (inner[0], inner[-1], inner[:, 0], inner[:, -1]))
            segmentation = entry["segmentation"]
            assert segmentation["size"] == [24, 32]
            np.testing.assert_array_equal(decoded(segmentation["counts"], mask.shape), mask)
    assert next(listed, None) is None


def test_pycocotools_reads_it(written, scenes, capsys):
    coco = pytest.importorskip("pycocotools.coco").COCO(
        str(written / "annotations" / "instances_train.json")
    )
    for image_id, scene in enumerate(scenes, start=1):
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=[image_id]))
        masks = np.array([coco.annToMask(annotation) for annotation in annotations])
        np.testing.assert_array_equal(masks, scene.masks)


def test_the_library_reads_it(written, scenes):
    pytest.importorskip("pycocotools")
    from sweet_keras.data.coco_source import CocoSource

    source = CocoSource(
        written / "annotations" / "instances_train.json",
        written / "train",
        channels=1,
        masks=True,
    )
    assert source.classes == CLASSES and source.problems == () and source.dropped_boxes == 0
    for index, scene in enumerate(scenes):
        record = source[index]
        np.testing.assert_array_equal(record["image"][..., 0], scene.image)
        np.testing.assert_array_equal(record["boxes"], scene.boxes)
        np.testing.assert_array_equal(record["classes"], scene.objects)
        np.testing.assert_array_equal(record["areas"], scene.masks.sum(axis=(1, 2)))
        painted = np.zeros(scene.image.shape, int)
        for mask, label in zip(scene.masks, scene.objects, strict=True):
            painted[mask] = label + 1
        np.testing.assert_array_equal(record["mask"], painted)


@pytest.mark.parametrize("density", [0.0, 0.02, 0.5, 0.98, 1.0])
def test_run_lengths(rng, density):
    for size in ((1, 1), (3, 5), (16, 7)):
        mask = rng.random(size) < density
        counts = run_lengths(mask)
        assert min(counts[1:], default=1) > 0
        np.testing.assert_array_equal(decoded(counts, size), mask)


def test_a_split_is_never_written_over(written, objects):
    before = {path: path.read_bytes() for path in written.rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match=r"must not have the split 'train' yet. Received: .*train"):
        write_scenes(written, objects, np.array([0, 1]), CLASSES, "train", 1, options=OPTIONS)
    assert {path: path.read_bytes() for path in written.rglob("*") if path.is_file()} == before


def test_an_interrupted_split_is_not_there(objects, tmp_path, monkeypatch):
    def interrupted(objects, index, *others):
        if index == 2:
            raise KeyboardInterrupt
        return compose_scene(objects, index, *others)

    arguments = (tmp_path, objects, np.array([0, 1]), CLASSES, "test", 3)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(module, "compose_scene", interrupted)
        write_scenes(*arguments, options=OPTIONS)
    assert [path.name for path in tmp_path.iterdir()] == ["annotations"]
    assert not any((tmp_path / "annotations").iterdir())
    write_scenes(*arguments, options=OPTIONS)
    assert len(list((tmp_path / "test").iterdir())) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": np.array([0])}, r"`labels` must be 2 integers.* Received: .* shape \(1,\)"),
        ({"labels": np.array([0.0, 1.0])}, r"`labels` must be 2 integers.* dtype float64"),
        ({"labels": np.array([0, 2])}, r"in \[0, 2\). Received: labels from 0 to 2"),
        ({"split": "../train"}, r"`split` must be a file name.* Received: split='../train'"),
        ({"split": ".."}, r"`split` must be a file name.* Received: split='..'"),
        ({"split": ""}, r"`split` must be a file name.* Received: split=''"),
        ({"split": "annotations"}, r"not \"annotations\".* Received: split='annotations'"),
        ({"count": 0}, r"`count` positive. Received: split='train', count=0"),
    ],
)
def test_bad_arguments(objects, tmp_path, changes, message):
    arguments = {"labels": np.array([0, 1]), "split": "train", "count": 1, **changes}
    with pytest.raises(ValueError, match=message):
        write_scenes(tmp_path, objects, classes=CLASSES, options=OPTIONS, **arguments)
    assert not any(tmp_path.iterdir())
