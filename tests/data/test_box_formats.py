import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweet_keras.data import BOX_FORMATS, clip_boxes, convert_boxes, degenerate_boxes

HEIGHT, WIDTH = 60, 80


def written(left, top, right, bottom, name):
    """One box in a format, spelled out."""
    return {
        "xyxy": (left, top, right, bottom),
        "yxyx": (top, left, bottom, right),
        "xywh": (left, top, right - left, bottom - top),
        "center_xywh": ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top),
        "rel_xyxy": (left / WIDTH, top / HEIGHT, right / WIDTH, bottom / HEIGHT),
        "rel_yxyx": (top / HEIGHT, left / WIDTH, bottom / HEIGHT, right / WIDTH),
        "rel_xywh": (
            left / WIDTH,
            top / HEIGHT,
            (right - left) / WIDTH,
            (bottom - top) / HEIGHT,
        ),
    }[name]


def random_boxes(rng, *shape):
    corners = rng.uniform(0, 50, (*shape, 2))
    return np.concatenate([corners, corners + rng.uniform(0.5, 25, (*shape, 2))], axis=-1)


@pytest.mark.parametrize("source", BOX_FORMATS)
@pytest.mark.parametrize("target", BOX_FORMATS)
def test_every_format_to_every_other(source, target, rng):
    boxes = random_boxes(rng, 3, 5)
    given_boxes, expected = (
        np.array([[written(*box, name) for box in row] for row in boxes])
        for name in (source, target)
    )
    found = convert_boxes(given_boxes, source, target, (HEIGHT, WIDTH, 3))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


boxes_of_whole_eighths = st.lists(
    st.tuples(*[st.integers(0, 800)] * 2, *[st.integers(1, 800)] * 2), min_size=0, max_size=6
).map(lambda rows: np.array([(x, y, x + w, y + h) for x, y, w, h in rows]).reshape(-1, 4) / 8)


@given(
    boxes=boxes_of_whole_eighths,
    names=st.lists(st.sampled_from(BOX_FORMATS), min_size=1, max_size=6),
    height=st.integers(1, 2000),
    width=st.integers(1, 2000),
)
def test_a_way_through_any_formats_leads_back(boxes, names, height, width):
    route = ["xyxy", *names, "xyxy"]
    padded = np.concatenate([boxes, np.full((2, 4), -1.0)])
    found = padded
    for source, target in itertools.pairwise(route):
        found = convert_boxes(found, source, target, (height, width))
    np.testing.assert_allclose(found, padded, rtol=1e-12, atol=1e-9)
    assert (found[-2:] == -1).all()


@pytest.mark.parametrize("target", BOX_FORMATS)
def test_padding_stays_and_nothing_else_becomes_padding(target, rng):
    boxes = random_boxes(rng, 4, 3).astype(np.float32)
    boxes[2:, 1:] = -1
    before = boxes.copy()
    found = convert_boxes(boxes, "xyxy", target, (HEIGHT, WIDTH))
    assert found.dtype == np.float32 and found.shape == (4, 3, 4)
    np.testing.assert_array_equal((found == -1).all(-1), (before == -1).all(-1))
    np.testing.assert_array_equal(boxes, before)


def test_whole_pixels_stay_exact_in_float32(rng):
    boxes = rng.integers(0, 4000, (200, 4))
    boxes[:, 2:] += boxes[:, :2] + 1
    for name in ("xywh", "center_xywh", "yxyx"):
        there = convert_boxes(boxes, "xyxy", name)
        assert there.dtype == np.float32
        np.testing.assert_array_equal(convert_boxes(there, name, "xyxy"), boxes)


def test_the_shape_is_needed_between_pixels_and_shares_only():
    shares = np.array([[0.25, 0.5, 0.75, 1.0]])
    np.testing.assert_array_equal(
        convert_boxes(shares, "rel_xyxy", "rel_yxyx"), [[0.5, 0.25, 1.0, 0.75]]
    )
    for source, target in (("xywh", "rel_xyxy"), ("rel_xywh", "xyxy")):
        with pytest.raises(ValueError, match=r"`image_shape` must .*Received: image_shape=None"):
            convert_boxes(shares, source, target)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((2, 4)), "XYXY", "xyxy"), "`source` .*Received: source='XYXY'"),
        ((np.zeros((2, 4)), "xyxy", "corners"), "`target` .*Received: target='corners'"),
        ((np.zeros((4, 2)), "xyxy", "xyxy"), r"`boxes` .*Received: float64 of shape \(4, 2\)"),
        ((np.zeros((2, 4), bool), "xyxy", "xyxy"), "`boxes` .*Received: bool"),
        ((np.zeros((2, 4)), "xyxy", "rel_xyxy", (0, 5)), r"Received: image_shape=\(0, 5\)"),
        ((np.zeros((2, 4)), "xyxy", "rel_xyxy", (1, 5, 5, 3)), r"image_shape=\(1, 5, 5, 3\)"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        convert_boxes(*arguments)


def test_clipping_leaves_what_is_inside(rng):
    boxes = rng.uniform(-60, 120, (300, 4))
    boxes = np.concatenate([np.sort(boxes[:, ::2]), np.sort(boxes[:, 1::2])], axis=1)[
        :, [0, 2, 1, 3]
    ]
    boxes[::7] = -1
    found = clip_boxes(boxes, (HEIGHT, WIDTH))
    for before, after in zip(boxes, found, strict=True):
        if (before == -1).all():
            assert (after == -1).all()
            continue
        left, top, right, bottom = before
        expected = [
            min(max(left, 0), WIDTH),
            min(max(top, 0), HEIGHT),
            min(max(right, 0), WIDTH),
            min(max(bottom, 0), HEIGHT),
        ]
        assert after.tolist() == expected
        outside = right <= 0 or bottom <= 0 or left >= WIDTH or top >= HEIGHT
        assert degenerate_boxes(after) == outside


def test_which_boxes_are_none():
    boxes = np.array(
        [
            [0, 0, 1, 1],
            [0, 0, 0.5, 9],
            [3, 3, 3, 9],
            [3, 9, 5, 9],
            [5, 1, 4, 2],
            [-1, -1, -1, -1],
            [0, 0, np.nan, 1],
            [0, -np.inf, 1, np.inf],
            [np.inf, 0, np.inf, 1],
        ]
    )
    assert np.flatnonzero(~degenerate_boxes(boxes)).tolist() == [0, 1]
    assert np.flatnonzero(~degenerate_boxes(boxes, min_size=1)).tolist() == [0]
    assert degenerate_boxes(boxes.reshape(3, 3, 4)).shape == (3, 3)
    assert degenerate_boxes(np.zeros((0, 4))).shape == (0,)
