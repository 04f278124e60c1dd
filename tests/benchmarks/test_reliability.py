"""Mutated files for every reader in small number."""

import importlib
import random
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READERS = ("size", "configuration", "idx", "npz", "image", "coco", "voc", "masks", "results")
OF_NETWORKS = ("template", "checkpoint", "foreign_safetensors", "foreign_npz", "published")
pytestmark = [
    pytest.mark.keras,
    pytest.mark.once,
    pytest.mark.skipif(
        not Path("/proc/self/statm").exists(), reason="memory is limited as on Linux"
    ),
]


@pytest.fixture
def load(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    return lambda name: importlib.import_module(f"benchmarks.{name}")


def attack(load, reader, folder, count):
    """Reads changed inputs; returns how many were refused."""
    fuzz, readers = load("fuzz"), load("fuzz_readers")
    read, mutate = readers.READERS[reader](folder)
    rng, refused = random.Random(reader), 0  # noqa: S311
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(count):
            given = mutate(rng)
            try:
                read(given)
            except Exception as error:
                assert fuzz.documented(error), (given, error)
                refused += 1
    return refused


@pytest.mark.parametrize("reader", READERS)
def test_what_is_nearly_valid_is_read_or_refused(load, reader, tmp_path):
    assert 0 < attack(load, reader, tmp_path, 100) < 100
    assert not (tmp_path.parent / "escaped").exists()


@pytest.mark.parametrize("reader", OF_NETWORKS)
def test_networks_and_checkpoints(load, reader, tmp_path):
    assert attack(load, reader, tmp_path, 40) > 0


def test_command_lines_end_in_a_line(load, tmp_path):
    read, mutate = load("fuzz_readers").command_line(tmp_path)
    rng = random.Random(0)  # noqa: S311
    for _ in range(20):
        read(mutate(rng))


def test_what_crashes_and_what_hangs_is_counted(load, monkeypatch, capsys):
    fuzz = load("fuzz")

    def read(given):
        if given < 0.2:
            raise KeyError("inside")
        if given < 0.4:
            raise fuzz.Hang
        if given < 0.6:
            raise ValueError("`a` must be b. Received: c")

    options = type("Options", (), {"seconds": 0.05, "seed": 0, "save": None})
    tally = fuzz.fuzz("any", read, lambda rng: rng.random(), options)
    kinds = ("crash", "hang", "refused", "read")
    assert tally["tried"] == sum(tally[kind] for kind in kinds) > 20
    assert all(tally[kind] > 0 for kind in kinds)
    assert "KeyError" in capsys.readouterr().err
