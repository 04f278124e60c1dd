"""The command that makes the scenes of the detection benchmark."""

import importlib.util
import json
import struct
import sys
from pathlib import Path

import numpy as np
from PIL import Image

FILE = Path(__file__).parents[2] / "benchmarks" / "make_scenes.py"


def write_idx(path, array):
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    path.write_bytes(header + array.tobytes())


def test_the_command(tmp_path, monkeypatch, capsys):
    """Garments are squares; those to train on are darker than those to test on."""
    levels = {"train": np.arange(180, 210, 3), "t10k": np.arange(220, 250, 3)}
    for name, gray in levels.items():
        squares = np.broadcast_to(gray[:, None, None], (10, 28, 28)).astype("uint8")
        write_idx(tmp_path / f"{name}-images-idx3-ubyte", squares)
        write_idx(tmp_path / f"{name}-labels-idx1-ubyte", np.arange(10, dtype="uint8"))
    spec = importlib.util.spec_from_file_location("make_scenes", FILE)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    options = ["--train", "8", "--test", "5", "--size", "48", "--seed", "4"]
    out = tmp_path / "scenes"
    monkeypatch.setattr(sys, "argv", ["make_scenes.py", str(tmp_path), str(out), *options])
    program.main()
    assert "train: 8 scenes of 10 garments" in capsys.readouterr().out
    for split, name, count in (("train", "train", 8), ("test", "t10k", 5)):
        dataset = json.loads((out / "annotations" / f"instances_{split}.json").read_text())
        assert len(dataset["images"]) == count
        assert dataset["categories"][9]["name"] == "Ankle boot"
        pictures = {
            entry["id"]: np.asarray(Image.open(out / split / entry["file_name"]))
            for entry in dataset["images"]
        }
        assert all(picture.shape == (48, 48) for picture in pictures.values())
        for entry in dataset["annotations"]:
            # The gray level tells which garment this is, and of which part of the data.
            level = levels[name][entry["category_id"] - 1]
            assert (pictures[entry["image_id"]] == level).sum() >= entry["area"]
        bright = np.concatenate([picture[picture >= 180] for picture in pictures.values()])
        assert set(bright.tolist()) <= set(levels[name].tolist())
