import contextlib
import io
import json
import re
import sys
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from sweet_keras.data import AnnotatedSource, CocoSource

CATEGORIES = [{"id": 9, "name": "owl"}, {"id": 2, "name": "jay"}, {"id": 5, "name": "crow"}]
CLASS = {2: 0, 5: 1, 9: 2}  # by ascending id
NAMES = ("jay", "crow", "owl")


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


@pytest.fixture
def write(tmp_path, rng):
    """Writes images of the sizes given, and a COCO file about them."""

    def write(objects, sizes=((20, 30),), images=None, categories=CATEGORIES):
        listed = []
        for key, (height, width) in enumerate(sizes, 1):
            save(tmp_path / "images" / f"{key}.png", rng.integers(0, 256, (height, width, 3), "u1"))
            listed.append({"id": key, "file_name": f"{key}.png", "height": height, "width": width})
        for number, entry in enumerate(objects):
            entry.setdefault("id", 100 + number)
        content = {
            "images": listed if images is None else images,
            "annotations": objects,
            "categories": categories,
        }
        (tmp_path / "a.json").write_text(json.dumps(content))
        return tmp_path / "a.json", tmp_path / "images"

    return write


def thing(bbox=(2, 3, 10, 8), image=1, category=2, **more):
    return {"image_id": image, "category_id": category, "bbox": list(bbox), **more}


def test_boxes_against_a_loop(write, rng):
    sizes = [(int(h), int(w)) for h, w in rng.integers(8, 40, (6, 2))]
    objects, expected = [], {key: [] for key in range(1, 7)}
    for _ in range(60):
        image = int(rng.integers(1, 7))
        height, width = sizes[image - 1]
        x, y = rng.uniform(-4, width - 3), rng.uniform(-4, height - 3)
        w, h = rng.uniform(5.5, 20, 2)  # at least 1.5 pixels remain inside
        category, crowd = int(rng.choice([2, 5, 9])), int(rng.integers(2))
        area = None if rng.random() < 0.3 else float(rng.uniform(1, 50))
        more = {} if area is None else {"area": area}
        objects.append(thing((x, y, w, h), image, category, iscrowd=crowd, **more))
        x2, y2 = min(x + w, width), min(y + h, height)
        x1, y1 = max(x, 0), max(y, 0)
        area = (x2 - x1) * (y2 - y1) if area is None else area
        expected[image].append(((x1, y1, x2, y2), CLASS[category], crowd, area))
    path, folder = write(objects, sizes)
    source = CocoSource(path, folder)
    assert isinstance(source, AnnotatedSource) and len(source) == 6
    assert source.classes == NAMES and source.mask_classes is None
    assert (source.has_boxes, source.has_masks, source.has_labels) == (True, False, False)
    assert source.problems == () and source.dropped_boxes == 0
    for index in range(6):
        record, again = source[index], source[index - 6]
        assert set(record) == {"image", "id", "boxes", "classes", "crowd", "areas"}
        assert record["id"] == index + 1
        stored = np.array(Image.open(folder / f"{index + 1}.png"))
        np.testing.assert_array_equal(record["image"], stored)
        rows = expected[index + 1]
        boxes = np.array([row[0] for row in rows]).reshape(-1, 4)
        np.testing.assert_allclose(record["boxes"], boxes, rtol=1e-6)
        assert record["classes"].tolist() == [row[1] for row in rows]
        assert record["crowd"].tolist() == [bool(row[2]) for row in rows]
        np.testing.assert_allclose(record["areas"], [row[3] for row in rows], rtol=1e-6)
        dtypes = [record[key].dtype for key in ("boxes", "classes", "crowd", "areas")]
        assert dtypes == [np.float32, np.int32, bool, np.float32]
        annotation = source.annotation(index)
        assert annotation.pop("image_size") == sizes[index]
        del record["image"]
        assert set(annotation) == set(record)
        for key in annotation:
            np.testing.assert_array_equal(annotation[key], record[key])
            np.testing.assert_array_equal(again[key], record[key])


def test_readers_cannot_change_the_source(write):
    source = CocoSource(*write([thing()]))
    source[0]["boxes"][:] = 0
    source.annotation(0)["classes"][:] = 7
    assert source[0]["boxes"].tolist() == [[2, 3, 12, 11]] and source[0]["classes"].tolist() == [0]


def test_given_classes_fix_the_labels(write):
    path, folder = write([thing(category=9), thing(category=2)])
    source = CocoSource(path, folder, classes=("wren", "owl", "jay"))
    assert source.classes == ("wren", "owl", "jay")
    assert source[0]["classes"].tolist() == [1, 2]
    with pytest.raises(ValueError, match="category_id 9"):
        CocoSource(path, folder, classes=("jay", "crow"))


def test_gray_and_images_without_objects(write):
    source = CocoSource(*write([]), channels=1)
    assert source[0]["image"].shape == (20, 30, 1) and source.image_shape == (None, None, 1)
    assert source[0]["boxes"].shape == (0, 4) and source[0]["classes"].shape == (0,)


def test_the_size_may_be_left_to_the_image(write):
    path, folder = write([thing((25, 3, 10, 8))], images=[{"id": "a", "file_name": "1.png"}])
    content = json.loads(path.read_text())
    content["annotations"][0]["image_id"] = "a"
    path.write_text(json.dumps(content))
    source = CocoSource(path, folder)
    assert source.annotation(0)["image_size"] == (20, 30) and source[0]["id"] == "a"
    assert source[0]["boxes"].tolist() == [[25, 3, 30, 11]]


DEGENERATE = {
    "no width": (5, 5, 0, 5),
    "half a pixel high": (5, 5, 5, 0.5),
    "negative": (5, 5, -3, 5),
    "not a number": (float("nan"), 5, 5, 5),
    "infinite": (5, 5, float("inf"), 5),
    "too large for a float": (5, 5, 10**400, 5),
    "half a pixel inside": (29.5, 5, 5, 5),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_boxes_are_dropped_and_counted(write, name):
    source = CocoSource(*write([thing(), thing(DEGENERATE[name], id=7), thing()]))
    assert len(source[0]["boxes"]) == 2 and source.dropped_boxes == 1
    assert len(source.problems) == 1
    assert "a.json: annotation 7 of image 1: " in source.problems[0]


def test_a_box_of_one_pixel_is_kept(write):
    source = CocoSource(*write([thing((0.1, 0.7, 1, 1)), thing((29, 19, 1, 1))]))
    assert len(source[0]["boxes"]) == 2 and source.dropped_boxes == 0


BROKEN_OBJECTS = {
    "outside": thing((31, 3, 5, 5)),
    "left of it": thing((-9, 3, 5, 5)),
    "category": thing(category=3),
    "no category": {"image_id": 1, "bbox": [1, 1, 5, 5]},
    "category as text": thing(category="2"),
    "image": thing(image=4),
    "image as a list": thing(image=[1]),
    "three numbers": thing((1, 2, 3)),
    "text": thing((1, 2, 3, "4")),
    "null": thing((1, 2, 3, None)),
    "crowd": thing(iscrowd=2),
    "area": thing(area="12"),
    "no box": {"image_id": 1, "category_id": 2},
    "no object": [1, 2],
}


@pytest.mark.parametrize("name", BROKEN_OBJECTS)
def test_broken_objects(write, name):
    broken = BROKEN_OBJECTS[name]
    path, folder = write([thing()])
    content = json.loads(path.read_text())
    content["annotations"].append({**broken, "id": 66} if isinstance(broken, dict) else broken)
    path.write_text(json.dumps(content))
    number = 66 if isinstance(broken, dict) else 1
    where = rf"a\.json: annotation {number}( of image 1)?: .*Received: "
    with pytest.raises(ValueError, match=where):
        CocoSource(path, folder)
    with pytest.warns(UserWarning, match=r"Left out 1 .*`\.problems`"):
        source = CocoSource(path, folder, on_error="skip")
    assert len(source) == 1 and len(source[0]["boxes"]) == 1 and source.dropped_boxes == 1
    assert len(source.problems) == 1 and re.search(where, source.problems[0])


IMAGE = {"id": 2, "file_name": "1.png", "height": 20, "width": 30}
BROKEN_IMAGES = {
    "missing file": {**IMAGE, "file_name": "missing.png"},
    "escaping": {**IMAGE, "file_name": "../../etc/passwd"},
    "escaping inside": {**IMAGE, "file_name": "x/../../a.json"},
    "absolute": {**IMAGE, "file_name": "/etc/passwd"},
    "no file": {"id": 2, "height": 20, "width": 30},
    "impossible name": {**IMAGE, "file_name": "a\0b.png"},
    "long name": {**IMAGE, "file_name": "a" * 5000},
    "surrogate": {**IMAGE, "file_name": "\ud800.png"},
    "a folder": {**IMAGE, "file_name": "."},
    "huge": {**IMAGE, "height": 10**9, "width": 10**9},
    "zero": {**IMAGE, "height": 0},
    "negative": {**IMAGE, "height": -20, "width": -30},
    "text": {**IMAGE, "height": "20"},
    "half a size": {"id": 2, "file_name": "1.png", "height": 20},
    "same id": {**IMAGE, "id": 1},
    "no id": {"file_name": "1.png"},
    "id as a list": {**IMAGE, "id": [2]},
    "no object": 5,
}


@pytest.mark.parametrize("name", BROKEN_IMAGES)
def test_broken_images(write, name):
    broken = BROKEN_IMAGES[name]
    images = [{**IMAGE, "id": 1}, broken]
    path, folder = write([thing(), thing(image=2)] if name != "same id" else [thing()], (), images)
    save(folder / "1.png", np.zeros((20, 30, 3), np.uint8))
    with pytest.raises(ValueError, match=r"a\.json: image [12]: .*Received: "):
        CocoSource(path, folder)
    with pytest.warns(UserWarning, match="Left out"):
        source = CocoSource(path, folder, on_error="skip")
    assert len(source) == 1 and source[0]["id"] == 1 and len(source[0]["boxes"]) == 1


def test_unreadable_images_and_images_of_another_size(write):
    path, folder = write([thing(image=k) for k in (1, 2, 3)], [(20, 30)] * 3)
    (folder / "1.png").write_bytes((folder / "1.png").read_bytes()[:90])
    save(folder / "3.png", np.zeros((30, 20, 3), np.uint8))
    source = CocoSource(path, folder)
    assert len(source) == 3 and source[1]["id"] == 2
    with pytest.raises(ValueError, match=r"a\.json: image 1: .*1\.png: unreadable image"):
        source[0]
    with pytest.raises(ValueError, match=r"a\.json: image 3: .*Received: .*20 wide and 30 high"):
        source[2]
    with pytest.warns(UserWarning, match="Left out 2"):
        source = CocoSource(path, folder, on_error="skip")
    assert [record["id"] for record in source] == [2]
    assert ["image 1" in source.problems[0], "image 3" in source.problems[1]] == [True, True]


def test_exif_orientation_is_applied_before_the_size_is_compared(write, rng):
    path, folder = write([thing()], sizes=[(20, 30)])
    stored = rng.integers(0, 256, (30, 20, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # the first column is on top
    save(folder / "1.png", stored, exif=exif)
    source = CocoSource(path, folder, on_error="skip")
    assert source.problems == ()
    np.testing.assert_array_equal(source[0]["image"], np.rot90(stored, -1))


STRUCTURES = {
    "no JSON": b"{",
    "binary": b"\xff\xfe\x00garbage",
    "deep": b"[" * 100_000,
    "list": b"[]",
    "number": b"5",
    "captions": b'{"images": [], "annotations": [{"caption": "a"}]}',
    "panoptic": b'{"images": [], "categories": [{"id": 1, "name": "a"}],'
    b' "annotations": [{"segments_info": []}]}',
    "mapping": b'{"images": {}, "annotations": [], "categories": []}',
    "no categories": b'{"images": [], "annotations": [], "categories": []}',
    "same id": b'{"images": [], "annotations": [], "categories":'
    b' [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}',
    "same name": b'{"images": [], "annotations": [], "categories":'
    b' [{"id": 1, "name": "a"}, {"id": 2, "name": "a"}]}',
    "no name": b'{"images": [], "annotations": [], "categories": [{"id": 1}]}',
    "no images": b'{"images": [], "annotations": [], "categories": [{"id": 1, "name": "a"}]}',
}


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize("name", STRUCTURES)
def test_files_of_another_kind(tmp_path, name, on_error):
    (tmp_path / "a.json").write_bytes(STRUCTURES[name])
    with pytest.raises(ValueError, match=r"a\.json"):
        CocoSource(tmp_path / "a.json", tmp_path, on_error=on_error)


def test_refuses(write, tmp_path):
    path, folder = write([thing()])
    for options in ({"channels": 4}, {"on_error": "ignore"}, {"max_pixels": 0}):
        with pytest.raises(ValueError, match=r"must be .*Received: "):
            CocoSource(path, folder, **options)
    with pytest.raises(ValueError, match="`annotations_json`"):
        CocoSource(tmp_path / "missing.json", folder)
    with pytest.raises(ValueError, match="`image_folder`"):
        CocoSource(path, tmp_path / "missing")


def test_pycocotools_is_needed_for_masks_only(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "pycocotools", None)
    monkeypatch.delitem(sys.modules, "pycocotools.mask", raising=False)
    path, folder = write([thing(segmentation=[[1, 1, 9, 1, 9, 9]])])
    assert len(CocoSource(path, folder)[0]["boxes"]) == 1
    with pytest.raises(ImportError, match=re.escape("pip install 'sweet_keras[cv]'")):
        CocoSource(path, folder, masks=True)


def runs_of(mask):
    """Uncompressed run lengths, by a loop down the columns."""
    counts, value = [0], False
    for pixel in mask.T.ravel():
        if pixel != value:
            counts.append(0)
            value = pixel
        counts[-1] += 1
    return counts


def blob(rng, height, width):
    """A random mask: anything from noise to a rectangle, of one pixel at least."""
    mask = rng.random((height, width)) < rng.uniform(0.3, 1)
    top, left = rng.integers(height), rng.integers(width)
    mask[:top], mask[:, :left] = False, False
    mask[top, left] = True
    return mask


@pytest.mark.parametrize("kind", ["uncompressed", "compressed"])
def test_run_lengths_are_painted_the_smaller_over_the_larger(write, rng, kind):
    coco = pytest.importorskip("pycocotools.mask")
    sizes = [(int(h), int(w)) for h, w in rng.integers(8, 40, (4, 2))]
    objects, drawn = [], {}
    for image, size in enumerate(sizes, 1):
        for _ in range(6):
            mask = blob(rng, *size)
            if kind == "compressed":
                encoded = coco.encode(np.asfortranarray(mask, np.uint8))
                counts = encoded["counts"].decode()
            else:
                counts = runs_of(mask)
            segmentation = {"size": list(size), "counts": counts}
            category, crowd = int(rng.choice([2, 5, 9])), int(rng.random() < 0.3)
            objects.append(
                thing((0, 0, 8, 8), image, category, iscrowd=crowd, segmentation=segmentation)
            )
            drawn.setdefault(image, []).append((mask, 255 if crowd else CLASS[category] + 1))
    source = CocoSource(*write(objects, sizes), masks=True)
    assert source.mask_classes == ("background", *NAMES) and source.has_masks
    for index, size in enumerate(sizes):
        expected = np.zeros(size, np.uint8)
        for mask, value in sorted(drawn[index + 1], key=lambda pair: -pair[0].sum()):
            expected[mask] = value
        record = source[index]
        assert record["mask"].dtype == np.uint8 and record["mask"].flags.c_contiguous
        np.testing.assert_array_equal(record["mask"], expected)
        # No area in the file: that of the mask.
        assert record["areas"].tolist() == [mask.sum() for mask, _ in drawn[index + 1]]


def test_polygons_as_pycocotools_reads_the_file(write, rng):
    pytest.importorskip("pycocotools")
    from pycocotools.coco import COCO

    objects = []
    for _ in range(5):
        parts = []
        for _ in range(rng.integers(1, 3)):
            angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 9)))
            points = rng.uniform(4, 14, 2) + rng.uniform(3, 12, (len(angles), 1)) * np.stack(
                [np.cos(angles), np.sin(angles)], 1
            )
            parts.append(points.ravel().tolist())
        area = float(rng.uniform(1, 100))
        category = int(rng.choice([2, 5, 9]))
        objects.append(thing((1, 1, 9, 9), category=category, segmentation=parts, area=area))
    path, folder = write(objects)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(path)
    expected = np.zeros((20, 30), np.uint8)
    for entry in sorted(coco.loadAnns(coco.getAnnIds(1)), key=lambda entry: -entry["area"]):
        expected[coco.annToMask(entry) == 1] = CLASS[entry["category_id"]] + 1
    assert len(np.unique(expected)) > 1
    np.testing.assert_array_equal(CocoSource(path, folder, masks=True)[0]["mask"], expected)


def test_a_rectangle_as_polygon(write):
    pytest.importorskip("pycocotools")
    outline = [[4, 2, 14, 2, 14, 9, 4, 9]]
    path, folder = write([thing(segmentation=outline, category=9)])
    expected = np.zeros((20, 30), np.uint8)
    expected[2:9, 4:14] = 3
    record = CocoSource(path, folder, masks=True)[0]
    np.testing.assert_array_equal(record["mask"], expected)
    assert record["areas"].tolist() == [70]


def runs(counts, size=(20, 30)):
    return {"size": list(size), "counts": counts}


BROKEN_SEGMENTATIONS = {
    "missing": None,
    "empty": [],
    "two points": [[1, 1, 5, 5]],
    "odd": [[1, 1, 5, 5, 3, 3, 9]],
    "text": [[1, 1, 5, 5, 3, "3"]],
    "flat": [1, 1, 5, 5, 3, 3],
    "not a number": [[1, 1, 5, 5, 3, float("nan")]],
    "beyond any float": [[1, 1, 5, 5, 3, 10**400]],
    "far away": [[1, 1, 1e12, 1e12, 3, 9]],
    "endless outline": [[0, 0, 29, 19] * 40_000],
    "other size": runs([500], (20, 25)),
    "turned size": runs([600], (30, 20)),
    "huge size": runs([10**18], (10**9, 10**9)),
    "no size": {"counts": [600]},
    "too few": runs([300, 299]),
    "too many": runs([300, 301]),
    "huge runs": runs([10**30, 600]),
    "wrapping runs": runs([2**63, 2**63, 600]),
    "negative": runs([-5, 605]),
    "floats": runs([600.0]),
    "no runs": runs([]),
    "null": runs(None),
    "empty text": runs(""),
    "other letters": runs("é~"),
    "cut off": runs("PPPPP"),
    "goes on and on": runs("o" * 100 + "0"),
    "negative text": runs("P0" + "@"),
    "huge text": runs("oooooo?" * 9),
}


@pytest.mark.parametrize("name", BROKEN_SEGMENTATIONS)
def test_hostile_segmentations_are_reported_and_cost_nothing(write, name):
    pytest.importorskip("pycocotools")
    sound = thing(segmentation=[[2, 3, 12, 3, 12, 11]])
    hostile = thing(segmentation=BROKEN_SEGMENTATIONS[name], category=9, id=66)
    path, folder = write([sound, hostile])
    assert len(CocoSource(path, folder)[0]["boxes"]) == 2  # nobody asked for masks
    where = r"a\.json: annotation 66 of image 1: .*Received: "
    with pytest.raises(ValueError, match=where):
        CocoSource(path, folder, masks=True)
    tracemalloc.start()
    with pytest.warns(UserWarning, match="Left out 1"):
        source = CocoSource(path, folder, masks=True, on_error="skip")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**25
    assert set(np.unique(source[0]["mask"])) == {0, 1} and source.dropped_boxes == 1


def test_too_many_classes_for_a_mask(write):
    pytest.importorskip("pycocotools")
    categories = [{"id": key, "name": str(key)} for key in range(255)]
    path, folder = write([], categories=categories)
    assert len(CocoSource(path, folder).classes) == 255
    with pytest.raises(ValueError, match="room for 254 classes"):
        CocoSource(path, folder, masks=True)
