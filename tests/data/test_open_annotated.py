import json

import numpy as np
import pytest
from PIL import Image

from sweet_keras.data import CocoSource, MaskFolder, VocSource, open_annotated, open_source

OBJECT = (
    "<object><name>{}</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax>"
    "</bndbox></object>"
)


def save(path, value=0, channels=3):
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (6, 7, 3) if channels == 3 else (6, 7)
    Image.fromarray(np.full(shape, value, np.uint8)).save(path)


def put_coco(path, file="a.png", category="jay"):
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "images": [{"id": 1, "file_name": file, "height": 6, "width": 7}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 1, 4, 4]}],
        "categories": [{"id": 3, "name": category}],
    }
    path.write_text(json.dumps(content))


def put_voc(folder, stem, name):
    save(folder / "JPEGImages" / f"{stem}.png")
    (folder / "Annotations").mkdir(exist_ok=True)
    (folder / "Annotations" / f"{stem}.xml").write_text(
        f"<annotation>{OBJECT.format(name)}</annotation>"
    )


@pytest.mark.parametrize(
    ("file", "images"),
    [
        ("instances_val2017", "val2017"),
        ("instances_val2017", "images/val2017"),
        ("instances_val2017", "val"),
        ("instances_val2017", "images/val"),
        ("instances_val", "val2017"),
        ("instances_valid", "valid"),
        ("instances_validation", "images"),
    ],
)
def test_coco_layouts(tmp_path, file, images):
    for name, folder in ((file, images), ("instances_train2017", "train2017")):
        value = 1 if name == file else 0
        put_coco(tmp_path / "annotations" / f"{name}.json", category=f"{value}")
        save(tmp_path / folder / "a.png", value)
    put_coco(tmp_path / "annotations" / "instances_trainval.json")
    (tmp_path / "annotations" / "captions_val2017.json").write_text("{}")
    for split in ("val", "test", "validation"):
        source = open_annotated(tmp_path, split)
        assert isinstance(source, CocoSource) and source.name == tmp_path.name
        assert source.classes == ("1",) and source[0]["image"].max() == 1
        assert len(source[0]["boxes"]) == 1 and not source.has_masks
    train = open_annotated(str(tmp_path), channels=1)
    assert train.classes == ("0",) and train[0]["image"].shape == (6, 7, 1)
    bare = open_annotated(tmp_path / "annotations" / f"{file}.json")
    assert bare[0]["image"].max() == 1


def test_coco_beside_its_images(tmp_path):
    for split, value in (("train", 0), ("valid", 1)):
        put_coco(tmp_path / split / "_annotations.coco.json")
        save(tmp_path / split / "a.png", value)
    for split, value in (("train", 0), ("val", 1), ("test", 1)):
        assert open_annotated(tmp_path, split)[0]["image"].max() == value
    bare = open_annotated(tmp_path / "valid" / "_annotations.coco.json", "train")
    assert isinstance(bare, CocoSource) and bare[0]["image"].max() == 1


def test_several_coco_files_for_a_split(tmp_path):
    for year in (2014, 2017):
        put_coco(tmp_path / "annotations" / f"instances_train{year}.json")
    with pytest.raises(ValueError, match=r"train2014\.json, .*train2017\.json"):
        open_annotated(tmp_path)


def test_coco_without_images(tmp_path):
    put_coco(tmp_path / "annotations" / "instances_train.json")
    with pytest.raises(ValueError, match=r"Expected the images in .*Received: "):
        open_annotated(tmp_path)


def test_voc(tmp_path):
    for stem, name in (("a", "jay"), ("b", "owl")):
        put_voc(tmp_path, stem, name)
    assert isinstance(open_annotated(tmp_path), VocSource) and len(open_annotated(tmp_path)) == 2
    lists = tmp_path / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("a")
    (lists / "val.txt").write_text("b")
    for split, name in (("train", "a"), ("test", "b"), ("validation", "b"), ("val", "b")):
        source = open_annotated(tmp_path, split)
        assert source[0]["id"] == name and source.classes == ("jay", "owl")
    with pytest.raises(ValueError, match="split='extra'"):
        open_annotated(tmp_path, "extra")
    save(tmp_path / "SegmentationClass" / "b.png", 2, channels=1)
    segmented = open_annotated(tmp_path, "test", task="segment")
    assert segmented.has_masks and (segmented[0]["mask"] == 2).all()
    named = open_annotated(tmp_path, classes=("owl", "jay"))
    assert named[0]["classes"].tolist() == [1]


@pytest.mark.parametrize("layout", ["{split}/{kind}", "{kind}/{split}"])
def test_mask_folders(tmp_path, layout):
    for split, value in (("train", 3), ("valid", 1)):
        save(tmp_path / layout.format(split=split, kind="images") / "a.jpg")
        save(tmp_path / layout.format(split=split, kind="masks") / "a.png", value, channels=1)
    for split, value in (("train", 3), ("test", 1), ("val", 1)):
        source = open_annotated(tmp_path, split, task="segment")
        assert isinstance(source, MaskFolder) and source.name == tmp_path.name
        assert (source[0]["mask"] == value).all()
        assert source.classes == ("0", "1", "2", "3")  # those of the training split
    with pytest.raises(ValueError, match=r"no boxes.*Received: .*task='detect'"):
        open_annotated(tmp_path)
    named = open_annotated(tmp_path, "test", task="segment", classes=("x", "y"))
    assert named.classes == ("x", "y")


def test_skip_is_passed_on(tmp_path):
    put_coco(tmp_path / "train" / "_annotations.coco.json")
    save(tmp_path / "train" / "a.png")
    path = tmp_path / "train" / "_annotations.coco.json"
    content = json.loads(path.read_text())
    content["annotations"].append({"id": 2, "image_id": 9, "category_id": 3, "bbox": [1, 1, 2, 2]})
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="image_id 9"):
        open_annotated(tmp_path)
    with pytest.warns(UserWarning, match="Left out 1"):
        assert open_annotated(tmp_path, on_error="skip").dropped_boxes == 1


def test_refuses(tmp_path):
    with pytest.raises(ValueError, match="`task`"):
        open_annotated(tmp_path, task="classify")
    for spec in ("nowhere", tmp_path / "missing.json"):
        with pytest.raises(ValueError, match="Received: spec="):
            open_annotated(spec)
    (tmp_path / "notes").mkdir()
    with pytest.raises(ValueError, match=r"Looked in .*Received: ") as caught:
        open_annotated(tmp_path, "val")
    for text in ("instances_<split>", "_annotations.coco.json", "Annotations/", "masks/<split>"):
        assert text in str(caught.value)
    assert "val, valid, validation" in str(caught.value) and "['notes']" in str(caught.value)


def test_open_source_knows_the_same_splits(tmp_path):
    save(tmp_path / "train" / "jay" / "a.png")
    save(tmp_path / "validation" / "jay" / "a.png")
    assert len(open_source(tmp_path, "val")) == 1
