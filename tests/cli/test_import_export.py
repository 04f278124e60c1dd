import keras
import numpy as np
import pytest
from keras_checks import numpy

import sweet_keras as sk
from sweet_keras.cli.app import run

pytestmark = pytest.mark.keras


@pytest.fixture
def checkpoint(tmp_path, rng):
    """A file by the names of timm, and the network in it."""
    vit = sk.ViTBackbone(
        "L2H2",
        image_shape=(8, 8, 1),
        patch_size=4,
        head_dim=4,
        class_token=True,
        positions="learned",
    )
    sk.export(vit, tmp_path / "timm", format="timm")
    (tmp_path / "timm" / "model.safetensors").rename(tmp_path / "vit.safetensors")
    return str(tmp_path / "vit.safetensors"), vit


def test_to_a_network_and_back(checkpoint, tmp_path, capsys):
    source, vit = checkpoint
    out = tmp_path / "new" / "vit.keras"
    line = ["import", source, str(out), "--heads", "2", "--pixel-mean", "100"]
    assert run(line) == 0, capsys.readouterr().err
    assert "L2H2 with heads of 4, 8 x 8 x 1 pixels" in capsys.readouterr().out
    loaded = keras.saving.load_model(out)
    assert loaded.pixel_mean == (100,) and loaded.pixel_std == (127.5,)
    for name, array in vit.arrays().items():
        np.testing.assert_array_equal(loaded.arrays()[name], array)
    assert run(line) == 2
    assert "OUT must be new" in capsys.readouterr().err
    assert run([*line, "--overwrite", "--image-size", "8x12"]) == 0
    assert keras.saving.load_model(out).image_shape == (8, 12, 1)
    line = ["export", str(out), str(tmp_path / "again"), "--format", "timm"]
    assert run(line) == 0
    assert sorted(path.name for path in (tmp_path / "again").iterdir()) == [
        "config.json",
        "model.safetensors",
    ]
    assert run(line) == 2
    assert "must be new" in capsys.readouterr().err


def test_to_a_template(checkpoint, tmp_path, capsys, rng):
    source, vit = checkpoint
    out = str(tmp_path / "vit.sweet")
    assert run(["import", source, out, "--heads", "2"]) == 0
    assert "template of ranks 24 x 8 x 8" in capsys.readouterr().out
    made = sk.materialize(sk.SweetTemplate.load(out))
    pixels = rng.integers(0, 256, (2, 8, 8, 1))
    np.testing.assert_allclose(numpy(made(pixels)), numpy(vit(pixels)), atol=1e-3)
    assert run(["import", source, out, "--heads", "2", "--ranks", "9,7,5", "--overwrite"]) == 0
    assert sk.SweetTemplate.load(out).ranks == (9, 7, 5)


@pytest.mark.parametrize(
    "line, message",
    [
        ("import none.pth out.keras", "No checkpoint at 'none.pth'"),
        ("import a.pth out.txt", "--out must be a file ending in .keras or .sweet"),
        ("import a.pth out.keras --ranks full", "--ranks must be left out"),
        ("import a.pth out.keras --order energy", "--order must be none"),
        ("import a.pth out.sweet --ranks some", "--ranks must be"),
        ("import a.pth out.keras --image-size x", "--image-size must be"),
        ("export a.keras out --format jpeg", "onnx"),
        ("export a.keras out", "--format is required"),
    ],
)
def test_wrong_options(line, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(line.split()) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
