import math

import numpy as np
import pytest
from PIL import Image

from sweet_keras.data.resample import filter_weights, resample
from sweet_keras.data.resize_image import resize_image


def kernel(x, interpolation):
    """The two kernels as Keys (1981) states them, for a = -1/2."""
    x, a = abs(x), -0.5
    if interpolation == "bilinear":
        return max(0.0, 1.0 - x)
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0


def reference_resize(image, box, size, interpolation):
    """Every output value as the double sum it is defined to be, in Python floats."""
    axes = []
    for start, length, out_size, in_size in zip(box[:2], box[2:], size, image.shape, strict=False):
        step = length / out_size
        rows = []
        for out in range(out_size):
            center = start + (out + 0.5) * step
            row = [
                kernel((pixel + 0.5 - center) / max(step, 1.0), interpolation)
                for pixel in range(in_size)
            ]
            rows.append([weight / sum(row) for weight in row])
        axes.append(rows)
    result = np.empty((*size, image.shape[2]))
    for y in range(size[0]):
        for x in range(size[1]):
            for channel in range(image.shape[2]):
                result[y, x, channel] = sum(
                    axes[0][y][i] * axes[1][x][j] * float(image[i, j, channel])
                    for i in range(image.shape[0])
                    for j in range(image.shape[1])
                    if axes[0][y][i] and axes[1][x][j]
                )
    return np.clip(np.rint(result), 0, 255)


CASES = [  # image shape, size wanted
    ((7, 9, 1), (5, 11)),
    ((12, 8, 3), (6, 3)),
    ((5, 5, 2), (10, 13)),
]


def random_boxes(rng, count, height, width):
    """Boxes with fractions of pixels, anywhere inside."""
    heights, widths = rng.uniform(1, height, count), rng.uniform(1, width, count)
    tops, lefts = rng.uniform(0, height - heights), rng.uniform(0, width - widths)
    return np.stack([tops, lefts, heights, widths], axis=-1)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize(("shape", "size"), CASES)
def test_against_the_definition(rng, shape, size, interpolation):
    images = rng.integers(0, 256, (4, *shape), np.uint8)
    boxes = random_boxes(rng, 4, *shape[:2])
    flips = np.array([False, True, False, True])
    result = resample(images, boxes, size, interpolation, flips)
    assert result.dtype == np.uint8 and result.shape == (4, *size, shape[2])
    for image, box, flip, got in zip(images, boxes, flips, result, strict=True):
        expected = reference_resize(image, box, size, interpolation)
        expected = expected[:, ::-1] if flip else expected
        assert np.abs(got - expected).max() <= 1  # float32, at a tie
        assert (got != expected).mean() < 0.02


def random_images(rng, count, height, width, channels):
    """Noise that keeps away from black and white, where pillow clips between its two passes."""
    return rng.integers(64, 192, (count, height, width, channels), np.uint8)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(28, 28), (13, 50), (60, 9)])
def test_against_pillow(rng, interpolation, channels, size):
    images = random_images(rng, 40, 28, 31, channels)
    boxes = random_boxes(rng, 40, 28, 31)
    flips = rng.random(40) < 0.5
    result = resample(images, boxes, size, interpolation, flips)
    method = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
    for image, (top, left, height, width), flip, got in zip(
        images, boxes, flips, result, strict=True
    ):
        corners = (left, top, min(left + width, 31), min(top + height, 28))
        picture = Image.fromarray(image if channels == 3 else image[..., 0])
        expected = np.array(picture.resize(size[::-1], method[interpolation], corners), float)
        expected = expected.reshape(*size, channels)
        expected = expected[:, ::-1] if flip else expected
        assert np.abs(got - expected).max() <= 2


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_one_image_as_a_batch(rng, interpolation, channels):
    images = random_images(rng, 6, 20, 30, channels)
    boxes = random_boxes(rng, 6, 20, 30)
    flips = np.arange(6) % 2 == 0
    batch = resample(images, boxes, (9, 17), interpolation, flips)
    for image, box, flip, expected in zip(images, boxes, flips, batch, strict=True):
        got = resize_image(image, box, (9, 17), interpolation, flip)
        assert got.dtype == np.uint8
        assert np.abs(got.astype(int) - expected).max() <= 2


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_whole_image_at_its_size_is_unchanged(rng, interpolation):
    images = rng.integers(0, 256, (70, 8, 6, 3), np.uint8)
    boxes = np.tile([0.0, 0.0, 8.0, 6.0], (70, 1))
    flips = rng.random(70) < 0.5
    result = resample(images, boxes, (8, 6), interpolation, flips)
    np.testing.assert_array_equal(result[~flips], images[~flips])
    np.testing.assert_array_equal(result[flips], images[flips, :, ::-1])


def test_constant_images_stay_constant(rng):
    images = np.full((50, 11, 12, 1), 255, np.uint8)
    result = resample(images, random_boxes(rng, 50, 11, 12), (7, 29), "bicubic", np.zeros(50, bool))
    assert result.min() == 255


def test_weights_sum_to_one(rng):
    starts = rng.uniform(0, 5, 9)
    weights = filter_weights(starts, rng.uniform(0.5, 10, 9), 6, 15, "bicubic")
    assert weights.dtype == np.float32 and math.isclose(weights.sum(), 9 * 6, rel_tol=1e-5)
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-5)
