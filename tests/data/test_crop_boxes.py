import math

import numpy as np
import pytest

from sweet_keras.data import Augmentation
from sweet_keras.data.crop_boxes import ATTEMPTS, center_crop_boxes, random_crop_boxes


def reference_box(uniforms, height, width, aspect, scale, ratio):
    """The published procedure (Inception crop), one image and one try at a time."""
    for area, shape, top, left in uniforms:
        target = height * width * (scale[0] + (scale[1] - scale[0]) * area)
        low, high = math.log(ratio[0] * aspect), math.log(ratio[1] * aspect)
        proportion = math.exp(low + (high - low) * shape)
        w, h = round(math.sqrt(target * proportion)), round(math.sqrt(target / proportion))
        if 0 < w <= width and 0 < h <= height:
            return math.floor(top * (height - h + 1)), math.floor(left * (width - w + 1)), h, w
    return None


@pytest.mark.parametrize("aspect", [1.0, 2.0, 0.4])
@pytest.mark.parametrize("scale", [(0.2, 1.0), (0.5, 1.0), (0.08, 0.1)])
def test_random_boxes_against_a_loop(rng, aspect, scale):
    count, ratio = 300, (3 / 4, 4 / 3)
    uniforms = rng.random((count, ATTEMPTS, 4))
    heights, widths = rng.integers(1, 60, count), rng.integers(1, 60, count)
    boxes = random_crop_boxes(uniforms, heights, widths, aspect, scale, ratio)
    fallbacks = 0
    for row in range(count):
        top, left, height, width = boxes[row]
        assert 0 <= top <= heights[row] - height and 0 <= left <= widths[row] - width
        assert height >= 1 and width >= 1
        expected = reference_box(uniforms[row], heights[row], widths[row], aspect, scale, ratio)
        if expected is None:
            fallbacks += 1
        else:
            assert tuple(boxes[row]) == expected
    assert fallbacks < count


def test_fallback_is_central_and_as_large_as_the_ratio_allows():
    uniforms = np.random.default_rng(0).random((2, ATTEMPTS, 4))
    boxes = random_crop_boxes(
        uniforms, np.array([1, 100]), np.array([100, 1]), 1.0, (0.9, 1.0), (3 / 4, 4 / 3)
    )
    assert boxes.tolist() == [[0, 49, 1, 1], [49, 0, 1, 1]]
    boxes = random_crop_boxes(
        uniforms, np.array([30, 400]), np.array([400, 30]), 1.0, (0.9, 1.0), (3 / 4, 4 / 3)
    )
    assert boxes.tolist() == [[0, 180, 30, 40], [180, 0, 40, 30]]


def test_areas_and_positions_are_spread_as_asked(rng):
    count = 20_000
    boxes = random_crop_boxes(
        rng.random((count, ATTEMPTS, 4)),
        np.full(count, 1000),
        np.full(count, 1000),
        1.0,
        (0.2, 0.5),
        (3 / 4, 4 / 3),
    )
    areas = boxes[:, 2] * boxes[:, 3] / 1e6
    assert abs(areas.mean() - 0.35) < 0.01 and areas.min() > 0.199 and areas.max() < 0.501
    log_aspect = np.log(boxes[:, 3] / boxes[:, 2])
    assert abs(log_aspect.mean()) < 0.01 and np.abs(log_aspect).max() < math.log(4 / 3) + 0.01
    assert abs((boxes[:, 0] / (1000 - boxes[:, 2])).mean() - 0.5) < 0.01


def test_center_boxes():
    boxes = center_crop_boxes(np.array([256, 100, 10]), np.array([256, 300, 10]), 1.0, 0.875)
    expected = [[16, 16, 224, 224], [6.25, 106.25, 87.5, 87.5], [0.625, 0.625, 8.75, 8.75]]
    assert boxes.tolist() == expected
    wide = center_crop_boxes(np.array([100]), np.array([100]), 2.0, 1.0)
    assert wide.tolist() == [[25, 0, 50, 100]]


def test_presets():
    assert Augmentation.of("mae") == Augmentation(scale=(0.2, 1.0), ratio=(3 / 4, 4 / 3), flip=0.5)
    assert Augmentation.of("classify").scale == (0.5, 1.0)
    assert Augmentation.of(None).scale is None and Augmentation.of(None).flip == 0
    own = Augmentation(flip=0.0)
    assert Augmentation.of(own) is own


@pytest.mark.parametrize(
    "options",
    [
        {"scale": (0.0, 1.0)},
        {"scale": (0.5, 0.2)},
        {"scale": (0.5, 1.1)},
        {"ratio": (2.0, 1.0)},
        {"flip": 1.5},
        {"interpolation": "nearest"},
        {"center_fraction": 0.0},
    ],
)
def test_refuses(options):
    with pytest.raises(ValueError, match=f"`{next(iter(options))}` must be .*Received: "):
        Augmentation(**options)


def test_refuses_unknown_presets():
    with pytest.raises(ValueError, match="augment='strong'"):
        Augmentation.of("strong")
