"""From images to a template, a generator and a picture, on images of 8 x 8 pixels."""

import functools

import numpy as np
import pytest

import sweet_keras as sk
from sweet_keras.cli.app import run
from sweet_keras.runs.results import Results

pytestmark = [pytest.mark.keras, pytest.mark.once]


def test_the_road_of_a_generator(rng, tmp_path, capsys, monkeypatch):
    few = functools.partialmethod(sk.ImageGenerator.generate, steps=2)
    monkeypatch.setattr(sk.ImageGenerator, "generate", few)
    images = rng.integers(0, 256, (16, 8, 8, 1)).astype("uint8")
    np.savez(tmp_path / "data.npz", x_train=images, y_train=np.arange(16) % 2)
    data, pre, out = f"{tmp_path}/data.npz", f"{tmp_path}/pre", f"{tmp_path}/gen"
    options = ["--task", "generate", "--data", data, "--epochs", "1", "--batch-size", "8"]
    form = "--image-size 8 --channels 1 --patch-size 4 --size L2H2 --head-dim 4".split()
    assert run(["pretrain", *options, *form, "--out", pre]) == 0
    text = capsys.readouterr().out
    assert "with labels, to generate" in text and f"Generator: {pre}/model.keras" in text
    names = {path.name for path in (tmp_path / "pre").iterdir()}
    assert names >= {"template.sweet", "model.keras", "samples.npz", "report.html"}
    line = ["finetune", f"{pre}/model.keras", "--size", "L1H1", *options, "--out", out]
    assert run([*line, "--sample-steps", "2", "--guidance", "1"]) == 0
    assert "L1H1 learned to generate images of 2 classes" in capsys.readouterr().out
    made = Results.load(f"{out}/results.json").generation
    assert (made.method, made.steps, made.frechet) == ("sweet_slice", 2, None)
    assert (tmp_path / "gen" / "figures" / "samples.png").is_file()
    assert run(["finetune", "--out", out, "--resume", "--sampler", "euler"]) == 2
    assert "--sampler cannot change with --resume" in capsys.readouterr().err
    assert run(["sample", f"{out}/model.keras", "--grid", f"{tmp_path}/g.png", "--steps", "2"]) == 0
    assert run(["info", f"{pre}/model.keras"]) == 0
    assert "generator of 2 classes (flow)" in capsys.readouterr().out
