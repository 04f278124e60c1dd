"""Every file in examples/ runs as its first lines say."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name, *arguments, cwd):
    command = [sys.executable, "-W", "ignore", str(EXAMPLES / name), *map(str, arguments)]
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_no_example_is_forgotten():
    here = Path(__file__).read_text()
    assert all(path.name in here for path in EXAMPLES.glob("*.py"))


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("example")
    output = run("pretrain_and_finetune.py", "--images", 1024, "--epochs", 1, cwd=folder)
    assert "accuracy" in output
    return folder / "garments.sweet"


def test_pretrain_and_finetune(template):
    assert template.stat().st_size > 100_000


def test_keras_sequential(template, tmp_path):
    options = ("--images", 200, "--epochs", 1, "--template", template)
    assert "(8, 16, 8)" in run("keras_sequential.py", *options, cwd=tmp_path)


def test_own_images(tmp_path):
    from PIL import Image

    rng = np.random.default_rng(0)
    for number in range(9):
        pixels = rng.integers(0, 256, (40, 50, 3)).astype("uint8")
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    (tmp_path / "broken.png").write_bytes(b"not an image")
    options = "--size L2H2 --image-size 32 --batch-size 4 --epochs 1".split()
    run("own_images.py", ".", *options, cwd=tmp_path)
    assert (tmp_path / "template.sweet").is_file()
