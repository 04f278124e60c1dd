"""`sweet sample`: a picture of what a generator makes."""

import numpy as np
import pytest
from keras_checks import randomize
from PIL import Image

import sweet_keras as sk
from sweet_keras.cli.app import run
from sweet_keras.runs.sample import in_rows


@pytest.fixture
def saved(rng, tmp_path):
    """A generator, and the file it is saved in."""
    vit = sk.ViTBackbone("L1H2", image_shape=(8, 12, 3), patch_size=4, head_dim=4)
    generator = sk.ImageGenerator(vit, 3)
    generator.build()
    randomize(generator, rng)
    generator.save(tmp_path / "generator.keras")
    return generator, str(tmp_path / "generator.keras")


def test_the_picture_holds_a_row_for_each_class(saved, tmp_path, capsys):
    generator, file = saved
    options = ["--count", "2", "--steps", "2", "--seed", "4"]
    assert run(["sample", file, "--grid", f"{tmp_path}/all.png", *options]) == 0
    assert "6 images in" in capsys.readouterr().out
    picture = np.asarray(Image.open(tmp_path / "all.png"))
    images = generator.generate([0, 0, 1, 1, 2, 2], steps=2, seed=4)
    for row in range(3):
        for column in range(2):
            cut = picture[8 * row : 8 * row + 8, 12 * column : 12 * column + 12]
            np.testing.assert_array_equal(cut, images[2 * row + column])
    line = ["sample", file, "--grid", f"{tmp_path}/some.png", "--classes", "2", "--classes", "0"]
    assert run([*line, *options, "--sampler", "euler", "--guidance", "1"]) == 0
    assert np.asarray(Image.open(tmp_path / "some.png")).shape == (16, 24, 3)


def test_grey_images_make_a_grey_picture(rng):
    images = rng.integers(0, 256, (6, 2, 3, 1)).astype("uint8")
    picture = in_rows(images, 3)
    assert picture.shape == (4, 9)
    np.testing.assert_array_equal(picture[2:, 3:6], images[4, :, :, 0])
    with pytest.raises(ValueError, match=r"one or three channels. Received: 2 channels"):
        in_rows(np.zeros((2, 4, 4, 2), "uint8"), 1)


def test_wrong_options(saved, tmp_path, capsys):
    file, grid = saved[1], f"{tmp_path}/all.png"
    wrong = {
        "--count must be a positive integer": ["--grid", grid, "--count", "0"],
        "--grid must be a file ending in .png": ["--grid", "all.jpg"],
        "from 0 to 2": ["--grid", grid, "--classes", "3"],
        "--sampler must be one of heun, euler": ["--grid", grid, "--sampler", "ddim"],
    }
    for message, options in wrong.items():
        assert run(["sample", file, *options]) == 2
        assert message in capsys.readouterr().err
    Image.new("L", (2, 2)).save(grid)
    assert run(["sample", file, "--grid", grid]) == 2
    assert "pass --overwrite to replace it" in capsys.readouterr().err
    vit = sk.ViTBackbone("L1H1", image_shape=(8, 12, 3), patch_size=4, head_dim=4)
    vit.save(tmp_path / "vit.keras")
    assert run(["sample", f"{tmp_path}/vit.keras", "--grid", f"{tmp_path}/no.png"]) == 2
    assert "Expected an ImageGenerator" in capsys.readouterr().err
