"""The letterbox, and `Placement` on the whole: the same map for pixels, boxes and masks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sweet_keras.data import Placement, letterbox

sizes = st.tuples(st.integers(1, 300), st.integers(1, 300))


@given(image_size=sizes, target_size=sizes)
def test_the_picture_just_fits_into_the_upper_left_corner(image_size, target_size):
    place = letterbox(image_size, target_size)
    assert (place.top, place.left, place.flip) == (0, 0, False)
    scale = min(t / s for t, s in zip(target_size, image_size, strict=True))
    fits = [a == b for a, b in zip(place.scaled_size, target_size, strict=True)]
    assert any(fits)
    for side, target, scaled in zip(image_size, target_size, place.scaled_size, strict=True):
        assert 1 <= scaled <= target
        assert abs(scaled - side * scale) <= 0.5 + 1e-9 or scaled == 1


placements = st.builds(
    lambda image, target, scaled, top, left, flip: Placement(
        image_size=image,
        target_size=target,
        scaled_size=scaled,
        top=-int(top * (max(0, scaled[0] - target[0]) + 1)),
        left=-int(left * (max(0, scaled[1] - target[1]) + 1)),
        flip=flip,
    ),
    *[st.tuples(st.integers(2, 40), st.integers(2, 40))] * 3,
    *[st.floats(0, 0.999)] * 2,
    st.booleans(),
)


@given(placement=placements, seed=st.integers(0, 2**32))
def test_boxes_there_and_back(placement, seed):
    height, width = placement.image_size
    corners = np.random.default_rng(seed).uniform(0, [width, height], (2, 5, 2))
    boxes = np.concatenate([corners.min(0), corners.max(0)], axis=-1)
    boxes[3] = -1
    placed = placement.boxes_to_target(boxes)
    assert (placed[3] == -1).all()
    found = placement.boxes_to_image(placed)
    np.testing.assert_allclose(found, boxes, atol=1e-9)
    assert placement.boxes_to_image(placed.astype(np.float32)).dtype == np.float32


@given(placement=placements)
def test_a_box_around_everything_is_clipped_to_the_picture(placement):
    height, width = placement.image_size
    everything = np.array([-1e4, -1e4, 1e4, 1e4])
    np.testing.assert_array_equal(placement.boxes_to_image(everything), [0, 0, width, height])


@given(placement=placements, seed=st.integers(0, 2**32))
def test_an_image_is_a_window_of_the_whole_picture_resized(placement, seed):
    """Pillow resizes the whole; numpy mirrors, crops and pads."""
    # Away from black and white: pillow clips between its two passes, whose order may differ.
    image = np.random.default_rng(seed).integers(64, 192, (*placement.image_size, 3), np.uint8)
    whole = np.asarray(
        Image.fromarray(image).resize(placement.scaled_size[::-1], Image.Resampling.BICUBIC)
    )
    if placement.flip:
        whole = whole[:, ::-1]
    expected = np.full((*placement.target_size, 3), 127, np.uint8)
    shown = whole[-placement.top :, -placement.left :]
    shown = shown[: expected.shape[0], : expected.shape[1]]
    expected[: shown.shape[0], : shown.shape[1]] = shown
    found = placement.draw_image(image)
    assert found.dtype == np.uint8
    # Rounded after each of two passes, in either order: half a level, up to 1.5 times, and another.
    assert np.abs(found.astype(int) - expected).max() <= 2


@given(placement=placements, seed=st.integers(0, 2**32))
def test_a_mask_takes_the_value_at_the_centre_of_each_pixel(placement, seed):
    mask = np.random.default_rng(seed).integers(0, 200, placement.image_size, np.uint8)
    found = placement.draw_mask(mask)
    assert found.shape == placement.target_size and found.dtype == np.uint8
    for row in range(found.shape[0]):
        for column in range(found.shape[1]):
            # The centre of the pixel as a box of no size, with exact fractions.
            y, x = 2 * (row - placement.top) + 1, 2 * (column - placement.left) + 1
            high, wide = (2 * side for side in placement.scaled_size)
            x = wide - x if placement.flip else x
            if 0 <= y < high and 0 <= x < wide:
                y = y * placement.image_size[0] / high
                x = x * placement.image_size[1] / wide
                # On the border of two pixels either value will do.
                near = {
                    mask[min(int(b), mask.shape[0] - 1), min(int(a), mask.shape[1] - 1)]
                    for b in (y - 1e-9, y + 1e-9)
                    for a in (x - 1e-9, x + 1e-9)
                }
                assert found[row, column] in near
            else:
                assert found[row, column] == 255


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("image_size", [(13, 20), (20, 7), (16, 16)])
def test_an_enlarged_mask_comes_back_as_it_was(image_size, flip, rng):
    mask = rng.integers(0, 9, image_size, np.uint8)
    place = Placement(
        image_size=image_size,
        target_size=(50, 40),
        scaled_size=letterbox(image_size, (50, 40)).scaled_size,
        flip=flip,
    )
    found = place.map_to_image(place.draw_mask(mask))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, mask)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("coarser", [1, 4])
@pytest.mark.parametrize("image_size", [(30, 60), (100, 50), (7, 5), (64, 64)])
def test_logits_are_interpolated_and_padding_does_not_leak(image_size, coarser, flip, rng):
    """A plane over the picture comes back as that plane, up to half a cell from its edges."""
    place = Placement(
        image_size=image_size,
        target_size=(64, 64),
        scaled_size=letterbox(image_size, (64, 64)).scaled_size,
        flip=flip,
    )
    cells = 64 // coarser
    slopes = rng.uniform(1, 2, (2, 3)).astype(np.float32)
    centres = (np.arange(cells) + 0.5) * coarser  # in pixels of the target
    plane = centres[:, None, None] * slopes[0] + centres[:, None] * slopes[1]
    outside = (centres[:, None] > place.scaled_size[0]) | (centres > place.scaled_size[1])
    plane[outside] = 1e6
    found = place.map_to_image(plane.astype(np.float32))
    assert found.shape == (*image_size, 3) and found.dtype == np.float32
    scale_y, scale_x = (s / i for s, i in zip(place.scaled_size, image_size, strict=True))
    y = (np.arange(image_size[0]) + 0.5) * scale_y
    x = (np.arange(image_size[1]) + 0.5) * scale_x
    if flip:
        x = place.scaled_size[1] - x
    expected = y[:, None, None] * slopes[0] + x[:, None] * slopes[1]
    error = np.abs(found - expected)
    assert error.max() <= 2 * 2 * coarser  # slopes of at most 2 along both axes
    inside_y = (y >= coarser / 2) & (y <= place.scaled_size[0] - coarser)
    inside_x = (x >= coarser / 2) & (x <= place.scaled_size[1] - coarser)
    inner = error[inside_y][:, inside_x]
    assert inner.size
    assert inner.max() < 1e-4 * np.abs(expected).max()


def test_a_map_coarser_than_the_picture_gives_at_least_one_cell(rng):
    place = letterbox((1, 100), (64, 64))  # one row of pixels in a map of 2 by 2
    values = rng.normal(size=(2, 2, 5)).astype(np.float32)
    found = place.map_to_image(values)
    assert found.shape == (1, 100, 5)
    np.testing.assert_array_equal(found[0, 0], values[0, 0])
    np.testing.assert_array_equal(found[0, -1], values[0, 1])


@pytest.mark.parametrize("sizes", [((0, 4), (8, 8)), ((4, 4), (8, 8, 3)), ((4.5, 4), (8, 8))])
def test_refuses_sizes(sizes):
    with pytest.raises(ValueError, match=r"_size` must be \(height, width\).*Received: "):
        letterbox(*sizes)


def test_refuses_another_picture(rng):
    place = letterbox((5, 6), (8, 8))
    with pytest.raises(ValueError, match=r"`image` must .*\(5, 6\).*Received: .*\(6, 5, 3\)"):
        place.draw_image(np.zeros((6, 5, 3), np.uint8))
    with pytest.raises(ValueError, match=r"`mask` must .*Received: .*\(6, 5\)"):
        place.draw_mask(np.zeros((6, 5), np.uint8))
