"""The command that measures what a network loses as a template."""

import csv
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from keras_checks import randomize

import sweet_keras as sk

FILE = Path(__file__).parents[2] / "benchmarks" / "decompose.py"
pytestmark = [
    pytest.mark.keras,
    pytest.mark.once,
    pytest.mark.skipif(
        not Path("/proc/self/clear_refs").exists(), reason="memory is read from Linux's /proc"
    ),
]


def run(monkeypatch, *arguments):
    spec = importlib.util.spec_from_file_location("decompose_benchmark", FILE)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    monkeypatch.setattr(program, "SHARES", (1.0, 0.6))
    monkeypatch.setattr(sys, "argv", [str(FILE), *map(str, arguments)])
    program.main()


def rows_of(folder):
    with (folder / "decompose.csv").open() as file:
        return list(csv.DictReader(file))


def test_of_a_network_and_of_random_kernels(rng, tmp_path, monkeypatch):
    vit = sk.ViTBackbone("L1H4", image_shape=(8, 8, 1), patch_size=4, head_dim=4)
    randomize(vit, rng)
    vit.save(tmp_path / "vit.keras")
    x = rng.integers(0, 256, (8, 8, 8, 1)).astype("uint8")
    np.savez(tmp_path / "x.npz", x_train=x, y_train=np.zeros(8, int), x_test=x, y_test=np.zeros(8))
    options = ["--results", tmp_path, "--repeats", 1]
    line = [tmp_path / "vit.keras", "--images", tmp_path / "x.npz", "--test", 8]
    run(monkeypatch, *line, *options)
    whole, ours, theirs = rows_of(tmp_path)
    assert whole["ranks"] == "12 16 16" and float(whole["token_error"]) == 0
    assert [row["method"] for row in (ours, theirs)] == ["ours", "tensorly"]
    assert int(ours["parameters"]) <= 0.6 * vit.count_params()
    assert 0 < float(ours["kernel_error"]) < 1.01 * float(theirs["kernel_error"])
    assert float(ours["token_error"]) > 0.1 and theirs["token_error"] == ""
    run(monkeypatch, "--random", "L1H1", "--ranks", "6,20,20", "--only", "ours", *options)
    assert len(rows_of(tmp_path)) == 4
    random = rows_of(tmp_path)[-1]
    assert float(random["seconds"]) > 0 and float(random["peak_mib"]) > 0
    page = (tmp_path / "decompose.md").read_text()
    assert "## random L1H1, D 64" in page and f"| {float(ours['kernel_error']):.4f} |" in page
