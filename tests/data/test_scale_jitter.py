import math

import numpy as np
import pytest

from sweet_keras.data import ScaleJitter, letterbox
from sweet_keras.data.scale_jitter import DRAWS

TARGET = (40, 56)


@pytest.fixture
def painted(rng):
    """A noisy picture with one bright rectangle in each channel, and the rectangles."""
    image = rng.integers(0, 60, (*rng.integers(30, 90, 2), 3), np.uint8)
    height, width = image.shape[:2]
    boxes = []
    for channel in range(3):
        wide, high = rng.integers(10, 20, 2)
        left, top = rng.integers(0, width - wide), rng.integers(0, height - high)
        image[top : top + high, left : left + wide, channel] = 250
        boxes.append([left, top, left + wide, top + high])
    return image, np.array(boxes, np.float32)


def bright(plane):
    """Bounds of what is bright in a plane, or `None`."""
    rows, columns = np.nonzero(plane > 155)
    if not rows.size:
        return None
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


@pytest.mark.parametrize("spec", [None, "detect", "segment", ScaleJitter(scale=(0.3, 3.0))])
@pytest.mark.parametrize("draw", range(12))
def test_boxes_are_where_the_pixels_are(painted, spec, draw, rng):
    image, boxes = painted
    jitter = ScaleJitter.of(spec)
    place = jitter.place(image.shape[:2], TARGET, rng.random(DRAWS))
    drawn = place.draw_image(image)
    assert drawn.shape == (*TARGET, 3) and drawn.dtype == np.uint8
    found, _ = jitter.boxes_in(place, boxes)
    for channel, box in enumerate(found):
        seen = bright(drawn[..., channel])
        if seen is not None:
            np.testing.assert_allclose(seen, box, atol=1)
        else:  # out of the window, but for what is less than a pixel
            assert min(box[2:] - box[:2]) <= 1


@pytest.mark.parametrize("draw", range(8))
def test_masks_are_where_the_pixels_are(rng, draw):
    """Pixel by pixel: class 1 is painted bright, class 0 dark, in patches."""
    patches = rng.integers(0, 2, (6, 8), np.uint8)
    mask = np.kron(patches, np.ones((12, 12), np.uint8))
    image = (mask * 200)[..., None]
    place = ScaleJitter.of("segment").place(mask.shape, TARGET, rng.random(DRAWS))
    drawn, labels = place.draw_image(image)[..., 0].astype(int), place.draw_mask(mask)
    padded = labels == 255
    assert (drawn[padded] == 127).all()
    picture = (min(TARGET[0], place.scaled_size[0]), min(TARGET[1], place.scaled_size[1]))
    assert padded.sum() == math.prod(TARGET) - math.prod(picture)
    # Not on an edge between two patches, nor at a corner, where a quarter of 200 may be right.
    clear = ~padded & ((drawn < 30) | (drawn > 170))
    assert clear.mean() > 0.5 * (~padded).mean()
    np.testing.assert_array_equal(drawn[clear] > 100, labels[clear] == 1)


def test_none_is_the_letterbox(rng):
    jitter = ScaleJitter.of(None)
    for _ in range(200):
        image_size, target = (tuple(map(int, rng.integers(1, 500, 2))) for _ in range(2))
        assert jitter.place(image_size, target, rng.random(DRAWS)) == letterbox(image_size, target)


def test_specs():
    assert ScaleJitter.of("detect") == ScaleJitter(scale=(0.8, 1.25), flip=0.5)
    assert ScaleJitter.of("segment") == ScaleJitter(scale=(0.5, 2.0), flip=0.5)
    own = ScaleJitter(scale=(0.1, 2.0))
    assert ScaleJitter.of(own) is own


def test_mirroring_twice_gives_the_picture_back(painted):
    image, boxes = painted
    height, width = image.shape[:2]
    jitter = ScaleJitter(scale=(1.0, 1.0), flip=1.0)
    uniforms = np.full(DRAWS, 0.5)
    place = jitter.place((height, width), (height, width), uniforms)
    assert place.flip
    once, (boxes_once, _) = place.draw_image(image), jitter.boxes_in(place, boxes)
    np.testing.assert_array_equal(once, image[:, ::-1])
    np.testing.assert_array_equal(boxes_once[:, [2, 0]], width - boxes[:, [0, 2]])
    np.testing.assert_array_equal(place.draw_image(once), image)
    np.testing.assert_allclose(jitter.boxes_in(place, boxes_once)[0], boxes, atol=1e-5)
    mask = image[..., 0]
    np.testing.assert_array_equal(place.draw_mask(place.draw_mask(mask)), mask)


def test_factors_are_as_likely_as_their_inverses(rng):
    jitter = ScaleJitter(scale=(0.25, 4.0), flip=0.25)
    places = [jitter.place((1000, 500), (1000, 1000), row) for row in rng.random((2000, DRAWS))]
    logs = np.log2([place.scaled_size[0] / 1000 for place in places])
    counts, _ = np.histogram(logs, bins=8, range=(-2, 2))
    assert counts.sum() == 2000
    assert ((counts - 250) ** 2 / 250).sum() < 24.3  # chi-squared, 7 degrees, p = 0.001
    aspects = [place.scaled_size[1] / place.scaled_size[0] for place in places]
    np.testing.assert_allclose(aspects, 0.5, atol=0.002)
    flips = np.array([place.flip for place in places])
    assert 420 < flips.sum() < 580
    # Nor has mirroring to do with the scale: four standard errors of a correlation of 0.
    assert abs(np.corrcoef(flips, logs)[0, 1]) < 4 / np.sqrt(2000)


def test_windows_are_cropped_anywhere_and_padding_is_at_the_end(rng):
    jitter = ScaleJitter(scale=(1.5, 1.5))
    # 30 by 12 pixels in a target of 20 by 20: cropped in height, padded in width.
    places = [jitter.place((40, 16), (20, 20), row) for row in rng.random((1100, DRAWS))]
    assert {place.scaled_size for place in places} == {(30, 12)}
    assert {place.left for place in places} == {0}
    counts = np.bincount([-place.top for place in places], minlength=11)
    assert len(counts) == 11
    assert ((counts - 100) ** 2 / 100).sum() < 29.6  # chi-squared, 10 degrees, p = 0.001


def test_boxes_that_the_window_cuts_off_are_dropped():
    jitter = ScaleJitter(scale=(2.0, 2.0), flip=0.0, min_visible=0.5, min_size=3.0)
    # The window shows the upper left quarter: 0 to 50 in both directions, at twice the size.
    place = jitter.place((100, 100), (100, 100), np.zeros(DRAWS))
    boxes = np.array(
        [
            [0, 0, 50, 50],  # whole
            [0, 0, 100, 50],  # half of it
            [0, 0, 100.5, 50],  # less than half
            [30, 45, 40, 54],  # 5 of 9
            [30, 46, 40, 55],  # 4 of 9
            [60, 0, 80, 50],  # nothing
            [10, 10, 11.5, 20],  # 3 pixels wide
            [10, 10, 11.4, 20],  # less
            [10, 10, 20, 11.4],
        ],
        np.float32,
    )
    clipped, kept = jitter.boxes_in(place, boxes)
    assert kept.tolist() == [True, True, False, True, False, False, True, False, False]
    np.testing.assert_allclose(clipped, np.minimum(boxes * 2, 100), atol=1e-5)
    everything = ScaleJitter(scale=(2.0, 2.0), min_visible=0.0, min_size=0.0)
    assert everything.boxes_in(place, boxes)[1].tolist() == [True] * 5 + [False] + [True] * 3
    none, kept = jitter.boxes_in(place, np.zeros((0, 4), np.float32))
    assert none.shape == (0, 4) and kept.shape == (0,)


def test_a_box_around_the_picture_is_never_dropped(rng):
    """Rounding of its corners must not count as being cut off."""
    jitter = ScaleJitter(scale=(0.2, 1.0), min_visible=1.0, min_size=0.0)
    for _ in range(500):
        height, width = map(int, rng.integers(2, 900, 2))
        place = jitter.place((height, width), TARGET, rng.random(DRAWS))
        box = np.array([[0, 0, width, height]], np.float32)
        assert jitter.boxes_in(place, box)[1].all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": (0.0, 1.0)}, r"scale=\(0.0, 1.0\)"),
        ({"scale": (1.2, 0.8)}, r"scale=\(1.2, 0.8\)"),
        ({"scale": (1.0, math.inf)}, "inf"),
        ({"flip": 1.5}, "flip=1.5"),
        ({"interpolation": "nearest"}, "interpolation='nearest'"),
        ({"min_visible": -0.1}, "min_visible=-0.1"),
        ({"min_size": -1.0}, "min_size=-1.0"),
        ({"min_size": math.nan}, "min_size=nan"),
    ],
)
def test_refuses(options, message):
    with pytest.raises(ValueError, match=f"Received: .*{message}"):
        ScaleJitter(**options)


@pytest.mark.parametrize("spec", ["mae", 0.5, (0.8, 1.25)])
def test_refuses_specs(spec):
    with pytest.raises(ValueError, match=r"`augment` must .*Received: augment="):
        ScaleJitter.of(spec)
