"""The opacity of objects on black."""

import numpy as np

from sweet_keras.data.cut_out import cut_out


def covered(radius, size=24, parts=8):
    """Share of each pixel that lies in a disc, by counting points."""
    points = (np.arange(size * parts) + 0.5) / parts - size / 2
    inside = points[:, None] ** 2 + points**2 <= radius**2
    return inside.reshape(size, parts, size, parts).mean(axis=(1, 3))


def test_an_edge_is_as_opaque_as_it_is_bright():
    row = np.array([0, 0, 50, 200, 200, 200, 150, 0], "uint8")
    expected = np.array([0, 0, 255 * 50 // 200, 255, 255, 255, 255 * 150 // 200, 0])
    opacity = cut_out(np.tile(row, (6, 1)))
    # The first and the last row are edges too: there the four neighbours are not all there.
    np.testing.assert_array_equal(opacity, np.tile(expected, (6, 1)))


def test_what_is_dark_within_an_object_is_opaque():
    pixels = np.zeros((9, 9), "uint8")
    pixels[1:8, 1:8] = 180
    pixels[4, 4] = 5
    assert cut_out(pixels)[4, 4] == 255
    assert set(cut_out(pixels)[[0, -1]].ravel()) == {0}


def test_noise_of_the_black_is_transparent(rng):
    assert cut_out(rng.integers(0, 4, (20, 20)).astype("uint8")).max() <= 255 * 3 // 32


def test_a_dark_object_stays_an_object():
    pixels = np.zeros((12, 12), "uint8")
    pixels[2:10, 2:10] = 9
    assert (cut_out(pixels)[3:9, 3:9] == 255).all()


def test_discs_laid_on_gray_are_what_they_would_be_there(rng):
    for radius in rng.uniform(5, 10, 8):
        share = covered(radius)
        on_black = np.round(210 * share).astype("uint8")
        opacity = cut_out(on_black) / 255
        laid = 100 * (1 - opacity) + on_black
        error = np.abs(laid - (100 * (1 - share) + 210 * share))
        # A pixel wholly among the disc's own counts as its own, though a corner may be missing.
        assert error.max() < 100 and error.mean() < 2
        assert np.percentile(error, 95) < 12
        rim = np.abs(100 * (on_black == 0) + on_black - (100 * (1 - share) + 210 * share))
        assert error.mean() < 0.4 * rim.mean()  # pasted without regard to the edges
