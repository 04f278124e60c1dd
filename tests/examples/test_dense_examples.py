"""The examples that take keras-cv or KerasHub."""

import pytest
from run_example import run_example


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
    output = run_example("detect_keras_cv.py", fine_template, scenes, *TINY, cwd=tmp_path)
    assert "AP50" in output and (tmp_path / "detector.keras").is_file()


def test_segment_keras_hub(fine_template, scenes, tmp_path):
    pytest.importorskip("keras_hub")
    pytest.importorskip("pycocotools")
    output = run_example("segment_keras_hub.py", fine_template, scenes, *TINY, cwd=tmp_path)
    assert "mean IoU" in output and (tmp_path / "segmenter.keras").is_file()


def test_generate_in_latents(tmp_path):
    pytest.importorskip("keras_hub")
    options = "--images 64 --epochs 1 --steps 2".split()
    output = run_example("generate_in_latents.py", *options, cwd=tmp_path)
    assert "latents (7, 7, 4) images (10, 28, 28, 1)" in output
    assert (tmp_path / "latents.png").is_file() and (tmp_path / "generator.keras").is_file()
