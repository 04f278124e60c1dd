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


@pytest.mark.once
def test_keras_sequential(template, tmp_path):
    options = ("--images", 200, "--epochs", 1, "--template", template)
    assert "(8, 16, 8)" in run("keras_sequential.py", *options, cwd=tmp_path)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    from sweet_keras.data import FASHION_MNIST_CLASSES, fashion_mnist
    from sweet_keras.data.write_scenes import write_scenes

    folder = tmp_path_factory.mktemp("scenes")
    for split, (objects, labels) in zip(("train", "test"), fashion_mnist(), strict=True):
        count = 8 if split == "train" else 3
        write_scenes(folder, objects[..., 0], labels, FASHION_MNIST_CLASSES, split, count)
    return folder


@pytest.fixture(scope="module")
def fine_template(tmp_path_factory):
    import sweet_keras as sk

    path = tmp_path_factory.mktemp("template") / "t.sweet"
    options = {"image_shape": (28, 28, 1), "patch_size": 4, "head_dim": 8}
    sk.SweetTemplateViT("L1H2", **options).template().save(path)
    return path


TINY = "--size L1H1 --channels 8 --batch-size 4 --epochs 1".split()


def test_detect_keras_cv(fine_template, scenes, tmp_path):
    pytest.importorskip("keras_cv")
    pytest.importorskip("pycocotools")
    output = run("detect_keras_cv.py", fine_template, scenes, *TINY, cwd=tmp_path)
    assert "AP50" in output and (tmp_path / "detector.keras").is_file()


def test_segment_keras_hub(fine_template, scenes, tmp_path):
    pytest.importorskip("keras_hub")
    pytest.importorskip("pycocotools")
    output = run("segment_keras_hub.py", fine_template, scenes, *TINY, cwd=tmp_path)
    assert "mean IoU" in output and (tmp_path / "segmenter.keras").is_file()


@pytest.mark.once
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
