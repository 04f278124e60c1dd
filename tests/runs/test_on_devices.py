"""A run on two devices: what one device would have learned, interrupted and gone on with."""

import json
import sys
from pathlib import Path

import distribution
import keras
import numpy as np
import pytest
from distribution.start_phases import environments, run_together

from sweet_keras.core.template import SweetTemplate
from sweet_keras.runs.checkpoints import Checkpoints
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.pretrain import pretrain
from sweet_keras.runs.pretrain_config import PretrainConfig
from sweet_keras.runs.read_log import read_log

pytestmark = pytest.mark.keras

BACKEND = keras.backend.backend()
PROGRAM = Path(next(iter(distribution.__path__))) / "command_line.py"
PROCESSES = 2 if BACKEND == "torch" else 1


def start(folder, *arguments, interrupt_at=0, processes=PROCESSES):
    """Starts the processes and returns how each ended and what it printed."""
    command = [sys.executable, str(PROGRAM), str(interrupt_at), "pretrain", *arguments]
    return run_together(command, folder, environments(BACKEND, processes))


def test_a_run_of_two_devices(tiny, data, console, tmp_path):
    options = {**tiny, "data": data, "subnetwork_start": 0.0, "epochs": 2, "batch_size": 10}
    one, two = RunDirectory(tmp_path / "one"), RunDirectory(tmp_path / "two")
    pretrain(PretrainConfig.from_mapping({**options, "out": str(one.path)}), console=console)
    options |= {"out": str(two.path), "devices": "2"}
    (tmp_path / "options.json").write_text(json.dumps(options))
    given = ["--config", str(tmp_path / "options.json")]
    # The process that does not write is told to stop, and both do: at a step at which they ask
    # each other.
    for code, _, errors in start(tmp_path, *given, interrupt_at=5):
        assert code == 143, errors
        assert "saved after step" in errors
    step = 5 if PROCESSES == 1 else 6
    newest = Checkpoints(two.checkpoints).files()[0]
    assert newest.name == f"step-{step:09d}.safetensors"
    first, *others = start(tmp_path, "--resume", "--out", str(two.path))
    assert first[0] == 0, first[2]
    assert "Template:" in first[1]
    assert others == [(0, "", "")] * (PROCESSES - 1)
    losses = [[row["loss"] for row in read_log(run.log)] for run in (one, two)]
    np.testing.assert_allclose(losses[1], losses[0], atol=1e-5)
    template = SweetTemplate.load(two.template)
    assert template.record["options"]["devices"] == "2"


def test_all_processes_refuse_alike(tiny, data, tmp_path):
    """A process that went on alone would wait for the others forever."""
    run = RunDirectory(tmp_path / "run")
    options = {**tiny, "data": data, "out": str(run.path), "devices": "all"}
    (tmp_path / "options.json").write_text(json.dumps(options))
    with run.held():  # as another training does
        ended = start(tmp_path, "--config", str(tmp_path / "options.json"), processes=2)
    assert [code for code, _, _ in ended] == [2, 2]
    assert "no other process is training" in " ".join(ended[0][2].split())
    assert "the first process can train in" in " ".join(ended[1][2].split())
