"""The whole road through the command line, on images of 8 x 8 pixels."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

import sweet_keras as sk
from sweet_keras.cli.app import run
from sweet_keras.core.template import SweetTemplate
from sweet_keras.runs.results import Results
from sweet_keras.runs.starting_point import load_network

pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def road(tmp_path_factory):
    """A folder with data and a pre-trained template; what the command printed."""
    folder = tmp_path_factory.mktemp("road")
    rng = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 32), ("test", 8)):
        labels = np.arange(count) % 2
        images = rng.integers(0, 100, (count, 8, 8, 1)) + 150 * labels[:, None, None, None]
        arrays |= {f"x_{split}": images.astype("uint8"), f"y_{split}": labels}
    np.savez(folder / "data.npz", **arrays)
    options = "image_size: 8\nchannels: 1\nsize: L2H2\nhead_dim: 8\npatch_size: 4\n"
    options += "mask_ratio: 0.5\nbatch_size: 8\nepochs: 1\ndecoder: L1H1\n"
    (folder / "tiny.yaml").write_text(options)
    line = ["pretrain", "--config", f"{folder}/tiny.yaml", "--data", f"{folder}/data.npz"]
    assert run([*line, "--out", f"{folder}/pre"]) == 0
    return folder


def test_pretrain(road, capsys):
    names = {path.name for path in (road / "pre").iterdir()}
    assert names == {
        ".running",
        "config.yaml",
        "environment.json",
        "log.csv",
        "tensorboard",
        "checkpoint",
        "template.sweet",
        "reconstruction.npz",
        "results.json",
        "report.html",
        "figures",
    }
    line = ["pretrain", "--config", f"{road}/pre/config.yaml"]
    assert run(line) == 2
    assert "holds a run that is finished" in capsys.readouterr().err


@pytest.mark.once
def test_info_on_a_template_needs_no_keras(road):
    code = (
        "import sys\nfrom sweet_keras.cli.app import run\n"
        f"code = run(['info', {str(road / 'pre' / 'template.sweet')!r}])\n"
        "sys.exit(99 if 'keras' in sys.modules else code)"
    )
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    for text in ("L2H2", "8 x 8 pixels", "mlp_out", "127.5", "batch_size"):
        assert text in done.stdout
    assert "Warning" not in done.stdout


def test_info_says_how_well_a_network_was_decomposed(road, tmp_path, capsys, rng):
    vit = sk.ViTBackbone(
        "L2H2", image_shape=(8, 8, 1), patch_size=4, head_dim=4, register_tokens=3, mlp_ratio=2
    )
    template = sk.decompose(vit, (7, 6, 5), order="energy")
    template.save(tmp_path / "t.sweet")
    assert run(["info", str(tmp_path / "t.sweet")]) == 0
    shown = capsys.readouterr().out
    record = template.record["decomposition"]
    for expected in (record["error"], record["errors"]["mlp_in"][1]):
        assert f"{expected:.3g}" in shown
    assert "3 registers" in shown and "MLP of 2 D" in shown and "order of the channels: en" in shown
    (line,) = (line for line in shown.splitlines() if "outputs" in line)
    spectrum = record["spectrum"]["outputs"]
    ranks = [sum(np.array(spectrum["kept"]) < share) + 1 for share in (0.5, 0.8, 0.9, 0.95, 0.99)]
    assert [int(cell) for cell in line.split() if cell.isdigit()] == [*ranks, 8]
    for damaged in (None, {"errors": 3}, {**record, "error": "x"}, {**record, "spectrum": []}):
        record = {"decomposition": damaged}
        dataclasses.replace(template, record=record).save(tmp_path / "odd.sweet")
        assert run(["info", str(tmp_path / "odd.sweet")]) == 0
        assert "relative error" not in capsys.readouterr().out


@pytest.mark.once
def test_info_warns_of_exploded_factors(road, tmp_path, capsys):
    template = SweetTemplate.load(road / "pre" / "template.sweet")
    arrays = {**template.arrays, "core": template.arrays["core"] * 20}
    dataclasses.replace(template, arrays=arrays).save(tmp_path / "sick.sweet")
    assert run(["info", str(tmp_path / "sick.sweet")]) == 0
    assert "Warning: query" in capsys.readouterr().out


def test_init_finetune_evaluate(road, capsys):
    template = f"{road}/pre/template.sweet"
    assert run(["init", template, "--size", "L1H2", "--out", f"{road}/vit.keras"]) == 0
    assert "L1H2: " in capsys.readouterr().out
    assert run(["init", template, "--size", "L1H2", "--out", f"{road}/vit.keras"]) == 2
    line = ["finetune", f"{road}/vit.keras", "--data", f"{road}/data.npz", "--labels", "30"]
    line += ["--epochs", "4", "--batch-size", "8", "--learning-rate", "0.02", "--warmup", "0"]
    assert run([*line, "--no-augment", "--out", f"{road}/fine"]) == 0
    out = capsys.readouterr().out
    assert "L1H2 gets " in out and "8 test images right after learning from 26 labels" in out
    assert (road / "fine" / "report.html").stat().st_size > 0
    reported = Results.load(road / "fine" / "results.json")
    (trial,) = reported.trials
    assert (trial.method, trial.size, trial.steps) == ("file", "L1H2", 12)
    assert trial.curve_steps == (3, 6, 9, 12) and len(trial.curve_accuracy) == 4
    assert trial.accuracy > 0.7  # dark or bright: a few steps find out
    # The file evaluates to what was measured.
    line = ["evaluate", f"{road}/fine/model.keras", "--data", f"{road}/data.npz"]
    assert run([*line, "--batch-size", "5", "--json", f"{road}/accuracy.json"]) == 0
    assert "all" in capsys.readouterr().out
    measured = json.loads((road / "accuracy.json").read_text())
    assert measured["accuracy"] == trial.accuracy and len(measured["classes"]) == 2
    assert run(["info", f"{road}/fine/model.keras"]) == 0
    assert "classifier of 2 classes" in capsys.readouterr().out


def test_quickstart(road, capsys):
    line = ["quickstart", "--data", f"{road}/data.npz", "--image-size", "8", "--seeds", "2"]
    line += ["--source-size", "L2H2", "--sizes", "L1H2", "--head-dim", "4", "--decoder", "L1H1"]
    line += ["--pretrain-epochs", "1", "--pretrain-batch-size", "16", "--mask-ratio", "0.5"]
    line += ["--labels", "8", "--finetune-batch-size", "8", "--finetune-steps", "2"]
    line += ["--patch-size", "4", "--curve-points", "1", "--out", f"{road}/quick"]
    assert run(line) == 0
    out = capsys.readouterr().out
    assert "above random" in out and "minutes. Report:" in out
    assert "random initialisation" in (road / "quick" / "report.html").read_text().lower()
    results = Results.load(road / "quick" / "results.json")
    assert [(trial.method, trial.seed) for trial in results.trials] == [
        (method, seed) for seed in (0, 1) for method in ("xavier", "sweet_slice", "sweet_adapt")
    ]
    assert all(trial.curve_steps == (2,) for trial in results.trials)
    assert {part.method for part in results.spectra} == {"xavier", "sweet_slice", "sweet_adapt"}
    assert str(SweetTemplate.load(road / "quick" / "template.sweet").size) == "L2H2"
    network = load_network(str(road / "quick" / "model.keras"))
    assert network.count_params() == results.trials[0].parameters
    assert not (road / "quick" / "checkpoint").exists()
    assert run(line) == 2
    assert "holds a run that is finished" in capsys.readouterr().err


@pytest.mark.once
def test_compare(road, capsys):
    line = ["compare", "--data", f"{road}/data.npz", "--image-size", "8", "--seeds", "2"]
    line += ["--source-size", "L2H2", "--sizes", "L1H2", "--sizes", "L2H2", "--head-dim", "4"]
    line += ["--methods", "random", "--methods", "xavier", "--methods", "sweet_adapt"]
    line += ["--decoder", "L1H1", "--pretrain-epochs", "1", "--pretrain-batch-size", "16"]
    line += ["--mask-ratio", "0.5", "--labels", "8", "--finetune-batch-size", "8"]
    line += ["--finetune-steps", "2", "--curve-points", "2", "--learning-rates", "0.01"]
    line += ["--validation", "0.25", "--out", f"{road}/compare"]
    assert run([*line, "--resume"]) == 0  # starts what is not there
    out = capsys.readouterr().out
    assert "SWEET adapt" in out and "average" in out and "the best other start" in out
    names = {path.name for path in (road / "compare").iterdir()}
    assert {"results.csv", "results.md", "report.html", "results.json", "cells"} <= names
    assert run(line) == 2 and "holds a run that is finished" in capsys.readouterr().err
    assert run(["compare", "--out", f"{road}/compare", "--resume", "--labels", "16"]) == 2
    assert "--labels cannot change with --resume" in capsys.readouterr().err


@pytest.mark.once
def test_wrong_files(road, capsys):
    (road / "text.keras").write_text("no network")
    for line in (
        ["info", f"{road}/none.sweet"],
        ["info", f"{road}/data.npz"],
        ["info", f"{road}/text.keras"],
        ["finetune", f"{road}/none.sweet", "--data", f"{road}/data.npz", "--out", f"{road}/no"],
        ["init", f"{road}/pre/template.sweet", "--size", "6x6", "--out", f"{road}/no.keras"],
        ["evaluate", f"{road}/none.keras", "--data", f"{road}/data.npz"],
    ):
        assert run(line) == 2, line
        err = capsys.readouterr().err
        assert err.startswith("Error: ") and len(err.splitlines()) == 1
    assert not (road / "no").exists() and not (road / "no.keras").exists()


@pytest.mark.once
def test_classes_are_compared_by_name(tmp_path, capsys):
    """A network asked about other classes, or the same in another order, must not answer."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        for folder in ("abc", "xbc"):
            for name in folder:
                path = tmp_path / folder / split / name
                path.mkdir(parents=True)
                for i in range(4):
                    pixels = rng.integers(0, 256, (8, 8, 3)).astype("uint8")
                    Image.fromarray(pixels).save(path / f"{i}.png")
    line = ["--size", "L1H1", "--head-dim", "8", "--patch-size", "4", "--image-size", "8"]
    line += ["--mask-ratio", "0.5", "--decoder", "L1H1", "--epochs", "1"]
    assert run(["pretrain", "--data", f"{tmp_path}/abc", "--out", f"{tmp_path}/pre", *line]) == 0
    line = ["finetune", f"{tmp_path}/pre/template.sweet", "--data", f"{tmp_path}/abc"]
    options = ["--epochs", "1", "--val-fraction", "0"]
    assert run([*line, "--out", f"{tmp_path}/abc/fine", *options]) == 2
    assert "outside of" in capsys.readouterr().err
    assert run([*line, "--out", f"{tmp_path}/fine", *options]) == 0
    model = f"{tmp_path}/fine/model.keras"
    assert load_network(model).class_names == ("a", "b", "c")
    assert run(["evaluate", model, "--data", f"{tmp_path}/abc"]) == 0
    capsys.readouterr()
    assert run(["evaluate", model, "--data", f"{tmp_path}/xbc"]) == 2
    err = capsys.readouterr().err
    assert "must have the classes of the network, a, b, c" in err and "with b, c, x" in err
