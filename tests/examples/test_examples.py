"""Every file in examples/ runs as its first lines say."""

from pathlib import Path

import numpy as np
import pytest
from run_example import EXAMPLES, run_example


def test_no_example_is_forgotten():
    here = "".join(path.read_text() for path in Path(__file__).parent.glob("*.py"))
    assert all(path.name in here for path in EXAMPLES.glob("*.py"))


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("example")
    options = ("--images", 512, "--epochs", 1, "--size", "L3H4")
    output = run_example("pretrain_and_finetune.py", *options, cwd=folder)
    assert "accuracy" in output
    return folder / "garments.sweet"


def test_pretrain_and_finetune(template):
    assert template.stat().st_size > 50_000


@pytest.mark.once
def test_keras_sequential(template, tmp_path):
    options = ("--images", 200, "--epochs", 1, "--template", template)
    assert "(8, 16, 8)" in run_example("keras_sequential.py", *options, cwd=tmp_path)


@pytest.mark.once
def test_own_images(tmp_path):
    from PIL import Image

    rng = np.random.default_rng(0)
    for number in range(9):
        pixels = rng.integers(0, 256, (40, 50, 3)).astype("uint8")
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    (tmp_path / "broken.png").write_bytes(b"not an image")
    options = "--size L2H2 --image-size 32 --batch-size 4 --epochs 1".split()
    run_example("own_images.py", ".", *options, cwd=tmp_path)
    assert (tmp_path / "template.sweet").is_file()


@pytest.mark.once
def test_generate(tmp_path):
    options = "--images 256 --epochs 1 --size L2H3 --steps 2".split()
    assert "80 images in garments.png" in run_example("generate.py", *options, cwd=tmp_path)
    from PIL import Image

    with Image.open(tmp_path / "garments.png") as grid:
        assert grid.size == (224, 280)
