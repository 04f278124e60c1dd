"""Average precision: known answers, a slow reference, and pycocotools' own summary."""

import contextlib
import io
import sys

import numpy as np
import pytest

from sweet_keras.evaluation.coco_metrics import coco_metrics

COCO = pytest.importorskip("pycocotools.coco").COCO
COCOeval = pytest.importorskip("pycocotools.cocoeval").COCOeval

CLASSES = ("cat", "dog", "owl")
BOX, OTHER = (10, 10, 20, 20), (40, 40, 60, 50)
THRESHOLDS = [number / 100 for number in range(50, 100, 5)]


def truth(*objects, crowd=(), areas=None):
    """From (class, box) of one image, in which the positions `crowd` are crowds."""
    boxes = np.array([box for _, box in objects], "float32").reshape(-1, 4)
    sides = boxes[:, 2:] - boxes[:, :2]
    return {
        "id": 7,
        "image_size": (64, 64),
        "boxes": boxes,
        "classes": np.array([name for name, _ in objects], "int32"),
        "crowd": np.isin(np.arange(len(objects)), crowd),
        "areas": sides.prod(axis=1) if areas is None else np.array(areas, "float32"),
    }


def found(*objects):
    """From (class, box, score) of one image."""
    return {
        "boxes": np.array([box for _, box, _ in objects], "float32").reshape(-1, 4),
        "classes": np.array([name for name, _, _ in objects], "int32"),
        "scores": np.array([score for *_, score in objects], "float32"),
    }


def test_perfect_detections():
    one = pytest.approx(1, abs=1e-12)  # pycocotools adds a rounding error to the ranks
    truths = [truth((0, BOX), (1, OTHER)), truth((0, OTHER))]
    detections = [found((1, OTHER, 0.3), (0, BOX, 0.9)), found((0, OTHER, 0.2))]
    metrics = coco_metrics(truths, detections, CLASSES)
    assert metrics["per_class"] == {"cat": one, "dog": one, "owl": None}
    assert [metrics[name] for name in ("AP", "AP50", "AP75", "APs")] == [one] * 4
    assert metrics["APm"] is metrics["APl"] is None


@pytest.mark.parametrize("name", [0, 2])
def test_the_first_class_counts_like_any_other(name):
    metrics = coco_metrics([truth((name, BOX))], [found((name, OTHER, 0.9))], CLASSES)
    assert metrics["AP"] == metrics["AP50"] == metrics["per_class"][CLASSES[name]] == 0.0


def test_one_of_two_found():
    metrics = coco_metrics([truth((0, BOX), (0, OTHER))], [found((0, BOX, 0.5))], CLASSES)
    assert metrics["AP"] == pytest.approx(51 / 101)  # recalls 0, 0.01 … 0.5


def test_the_wrong_class():
    metrics = coco_metrics([truth((0, BOX))], [found((1, BOX, 0.9))], CLASSES)
    assert metrics["AP"] == 0.0
    assert metrics["per_class"] == {"cat": 0.0, "dog": None, "owl": None}


@pytest.mark.parametrize(
    ("width", "thresholds"), [(10.0, 10), (9.9, 10), (9.2, 9), (7.6, 6), (6, 3), (5, 1), (4.9, 0)]
)
def test_overlaps_between_the_thresholds(width, thresholds):
    """The overlap of a box of 10 by 10 with a part of it is a tenth of the part's width."""
    metrics = coco_metrics(
        [truth((0, (10, 10, 20, 20)))], [found((0, (10, 10, 10 + width, 20), 0.9))], CLASSES
    )
    assert metrics["AP"] == pytest.approx(thresholds / 10)
    assert metrics["AP50"] == pytest.approx(float(thresholds >= 1))
    assert metrics["AP75"] == pytest.approx(float(thresholds >= 6))


def test_a_false_alarm_counts_by_its_rank():
    truths = [truth((0, BOX)), truth()]
    before, after = ([found((0, BOX, 0.5)), found((0, BOX, score))] for score in (0.9, 0.1))
    assert coco_metrics(truths, before, CLASSES)["AP"] == pytest.approx(1 / 2)
    assert coco_metrics(truths, after, CLASSES)["AP"] == pytest.approx(1)


def test_a_duplicate_is_a_false_alarm():
    detections = [found((0, BOX, 0.9), (0, BOX, 0.8), (0, OTHER, 0.7))]
    metrics = coco_metrics([truth((0, BOX), (0, OTHER))], detections, CLASSES)
    assert metrics["AP"] == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_what_lies_in_a_crowd_does_not_count():
    crowded = truth((0, BOX), (0, (30, 30, 64, 64)), crowd=[1])
    detections = [found((0, OTHER, 0.9), (0, (31, 31, 40, 40), 0.8), (0, BOX, 0.7))]
    assert coco_metrics([crowded], detections, CLASSES)["AP"] == pytest.approx(1)
    crowded["crowd"][1] = False
    assert coco_metrics([crowded], detections, CLASSES)["AP"] == pytest.approx(51 / 101 / 3)


def test_nothing_detected_and_nothing_there():
    assert coco_metrics([truth((0, BOX)), truth()], [found(), found()], CLASSES)["AP"] == 0.0
    empty = {"boxes": [], "classes": [], "scores": []}
    assert coco_metrics([truth((0, BOX))], [empty], CLASSES)["AP"] == 0.0
    metrics = coco_metrics([truth()], [found((0, BOX, 0.5))], CLASSES)
    assert metrics["AP"] is None and set(metrics["per_class"].values()) == {None}


def test_areas_can_be_scaled():
    """Areas of 100 and 200; the mask's area decides, not the box's."""
    truths = [truth((0, BOX), (0, OTHER))]
    detections = [found((0, BOX, 0.9))]
    default = coco_metrics(truths, detections, CLASSES)
    assert default["APs"] == default["AP"] and default["APm"] is None
    scaled = coco_metrics(truths, detections, CLASSES, area_limits=(150, 300))
    assert (scaled["APs"], scaled["APm"], scaled["APl"]) == (pytest.approx(1), 0.0, None)
    assert scaled["AP"] == default["AP"]
    truths = [truth((0, BOX), (0, OTHER), areas=[50, 60])]
    scaled = coco_metrics(truths, detections, CLASSES, area_limits=(55, 300))
    assert (scaled["APs"], scaled["APm"]) == (pytest.approx(1), 0.0)


def scenes(rng, crowds):
    """Random images with boxes up to 200 pixels, and detections more or less near them."""
    truths, detections = [], []
    for _ in range(12):
        count = rng.integers(0, 6)
        corner, side = rng.uniform(0, 100, (count, 2)), rng.uniform(8, 200, (count, 2))
        boxes = np.concatenate([corner, corner + side], axis=1)
        names = rng.integers(0, 3, count)
        crowd = np.flatnonzero(rng.random(count) < 0.2) if crowds else ()
        truths.append(truth(*zip(names, boxes, strict=True), crowd=crowd))
        moved = np.repeat(boxes, 2, axis=0)
        moved += rng.normal(0, 0.06, moved.shape) * np.repeat(np.tile(side, 2), 2, axis=0)
        renamed = np.where(rng.random(len(moved)) < 0.2, rng.integers(0, 3), np.repeat(names, 2))
        detections.append(found(*zip(renamed, moved, rng.random(len(moved)), strict=True)))
    return truths, detections


def overlap(one, two):
    left, top = max(one[0], two[0]), max(one[1], two[1])
    right, bottom = min(one[2], two[2]), min(one[3], two[3])
    shared = max(0, right - left) * max(0, bottom - top)
    areas = ((box[2] - box[0]) * (box[3] - box[1]) for box in (one, two))
    return shared / (sum(areas) - shared)


def slow_precision(truths, detections, name, threshold):
    """AP of a class at a threshold, from its definition; None without objects."""
    there = {
        (image, row): box
        for image, entry in enumerate(truths)
        for row, box in enumerate(entry["boxes"].astype(float))
        if entry["classes"][row] == name
    }
    ranked = sorted(
        (
            (-float(entry["scores"][row]), image, box)
            for image, entry in enumerate(detections)
            for row, box in enumerate(entry["boxes"].astype(float))
            if entry["classes"][row] == name
        ),
        key=lambda item: item[0],
    )
    taken, points = set(), []
    for rank, (_, image, box) in enumerate(ranked):
        free = [key for key in there if key[0] == image and key not in taken]
        best = max(free, key=lambda key: overlap(there[key], box), default=None)
        if best is not None and overlap(there[best], box) >= threshold:
            taken.add(best)
        points.append((len(taken) / len(there) if there else 0, len(taken) / (rank + 1)))
    if not there:
        return None
    recalls = [step / 100 for step in range(101)]
    return np.mean([max((p for r, p in points if r >= recall), default=0) for recall in recalls])


def test_against_a_slow_reference(rng):
    truths, detections = scenes(rng, crowds=False)
    metrics = coco_metrics(truths, detections, CLASSES)
    slow = np.array(
        [
            [slow_precision(truths, detections, name, threshold) for name in range(3)]
            for threshold in THRESHOLDS
        ]
    )
    assert 0.1 < slow.mean() < 0.9
    np.testing.assert_allclose(list(metrics["per_class"].values()), slow.mean(axis=0), rtol=1e-9)
    got = [metrics[name] for name in ("AP", "AP50", "AP75")]
    np.testing.assert_allclose(got, [slow.mean(), slow[0].mean(), slow[5].mean()], rtol=1e-9)


def test_against_the_summary_of_pycocotools(rng, capsys):
    truths, detections = scenes(rng, crowds=True)
    metrics = coco_metrics(truths, detections, CLASSES)
    assert capsys.readouterr().out == ""
    annotations, results = [], []
    for image, (entry, result) in enumerate(zip(truths, detections, strict=True)):
        for row, (x, y, right, bottom) in enumerate(entry["boxes"].astype(float)):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": int(entry["classes"][row]) + 90,
                    "bbox": [x, y, right - x, bottom - y],
                    "area": float(entry["areas"][row]),
                    "iscrowd": int(entry["crowd"][row]),
                }
            )
        for row, (x, y, right, bottom) in enumerate(result["boxes"].astype(float)):
            results.append(
                {
                    "image_id": image,
                    "category_id": int(result["classes"][row]) + 90,
                    "bbox": [x, y, right - x, bottom - y],
                    "score": float(result["scores"][row]),
                }
            )
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": image} for image in range(len(truths))],
            "categories": [{"id": 90 + number} for number in range(3)],
            "annotations": annotations,
        }
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    names = ("AP", "AP50", "AP75", "APs", "APm", "APl")
    np.testing.assert_allclose([metrics[name] for name in names], evaluation.stats[:6], rtol=1e-12)
    assert min(evaluation.stats[:6]) > 0  # objects of every size


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scores": [0.5]}, r"detections\[1\]\['scores'\] must be 2 finite.*shape \(1,\)"),
        ({"scores": [0.5, np.nan]}, r"\['scores'\] must be 2 finite.*of which 1 are finite"),
        ({"boxes": [[1, 2, 3, 4]] * 3}, r"detections\[1\]\['classes'\] must be 3 finite"),
        ({"boxes": [1, 2, 3, 4]}, r"\['boxes'\] must be \(n, 4\). Received: shape \(4,\)"),
        ({"boxes": [BOX, (5, 0, 4, 9)]}, r"xyxy.*Received: \[5.0, 0.0, 4.0, 9.0\] in row 1"),
        ({"boxes": [BOX, (5, 0, np.inf, 9)]}, r"finite and xyxy.*in row 1"),
        ({"classes": [3, 0]}, r"in \[0, 3\), without padding. Received: 3 in row 0"),
        ({"classes": [0, -1]}, r"in \[0, 3\), without padding. Received: -1 in row 1"),
        ({"classes": [0, 0.5]}, r"whole numbers.*Received: 0.5 in row 1"),
    ],
)
def test_bad_detections(changes, message):
    detections = [found(), {**found((0, BOX, 0.5), (1, OTHER, 0.4)), **changes}]
    with pytest.raises(ValueError, match=message):
        coco_metrics([truth((0, BOX)), truth()], detections, CLASSES)


@pytest.mark.parametrize("name", ["boxes", "classes", "crowd", "areas"])
def test_incomplete_truths(name):
    incomplete = truth((0, BOX))
    del incomplete[name]
    with pytest.raises(ValueError, match=rf"truths\[0\] must have \['{name}'\]. Received: \["):
        coco_metrics([incomplete], [found()], CLASSES)


def test_bad_arguments():
    truths = [truth((0, BOX))]
    with pytest.raises(ValueError, match=r"one entry for each image.*1 truths and 0 detections"):
        coco_metrics(truths, [], CLASSES)
    with pytest.raises(ValueError, match=r"there must be images. Received: 0 truths"):
        coco_metrics([], [], CLASSES)
    for classes in ((), ("cat", "cat"), "cat"):
        with pytest.raises(ValueError, match=r"`classes` must be names, each once. Received: "):
            coco_metrics(truths, [found()], classes)
    for limits in ((9, 4), (0, 9), (1, 2, 3)):
        with pytest.raises(ValueError, match=r"`area_limits` must be two areas.*Received: area_"):
            coco_metrics(truths, [found()], CLASSES, area_limits=limits)


def test_without_pycocotools(monkeypatch):
    monkeypatch.setitem(sys.modules, "pycocotools.coco", None)
    with pytest.raises(ImportError, match=r"pip install 'sweet_keras\[cv\]'"):
        coco_metrics([truth()], [found()], CLASSES)
