import json

import numpy as np
import pytest
from PIL import Image

from sweet_keras.data import CocoSource, MaskFolder, RenumberedSource


@pytest.fixture
def boxes(tmp_path, rng):
    (tmp_path / "coco").mkdir()
    Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8)).save(tmp_path / "coco" / "a.png")
    content = {
        "images": [{"id": 1, "file_name": "a.png", "height": 20, "width": 30}],
        "categories": [{"id": 5, "name": "owl"}, {"id": 7, "name": "jay"}],
        "annotations": [
            {"id": number, "image_id": 1, "category_id": category, "bbox": [number, 2, 5, 6]}
            for number, category in enumerate((7, 5, 7), 1)
        ],
    }
    path = tmp_path / "coco" / "a.json"
    path.write_text(json.dumps(content))
    return CocoSource(path, tmp_path / "coco")


@pytest.fixture
def masks(tmp_path, rng):
    mask = rng.choice(np.array([0, 1, 2, 255], np.uint8), (9, 8))
    for kind, pixels in (("images", mask), ("masks", mask)):
        (tmp_path / kind).mkdir()
        Image.fromarray(pixels).save(tmp_path / kind / "a.png")
    return MaskFolder(tmp_path / "images", tmp_path / "masks", ("sky", "road", "car"), channels=1)


def test_boxes(boxes):
    source = RenumberedSource(boxes, ("jay", "kite", "owl"))
    assert len(source) == 1 and source.classes == ("jay", "kite", "owl")
    assert (source.has_boxes, source.has_masks, source.mask_classes) == (True, False, None)
    for record in (source[0], source.annotation(0)):
        assert record["classes"].tolist() == [0, 2, 0] and record["classes"].dtype == np.int32
        np.testing.assert_array_equal(record["boxes"], boxes[0]["boxes"])
    np.testing.assert_array_equal(source[-1]["image"], boxes[0]["image"])
    assert boxes[0]["classes"].tolist() == [1, 0, 1]  # left as it is


def test_masks(masks):
    source = RenumberedSource(masks, ("car", "sky", "tree", "road"))
    assert source.classes == source.mask_classes == ("car", "sky", "tree", "road")
    old, new = masks[0]["mask"], source[0]["mask"]
    assert new.dtype == np.uint8
    for before, after in ((0, 1), (1, 3), (2, 0), (255, 255)):
        assert (old == before).any() and (new[old == before] == after).all()
    assert "mask" not in source.annotation(0) and not source.has_boxes


def test_a_class_without_a_number(boxes, masks):
    with pytest.raises(ValueError, match=r"among `names`: jay\. Received: .* with owl"):
        RenumberedSource(boxes, ["jay"])
    with pytest.raises(ValueError, match="with road, car"):
        RenumberedSource(masks, ["sky"])
