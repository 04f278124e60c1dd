"""A run of two processes of torch: what one device would have learned, written by one of them."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
from distribution.start_phases import environments

from sweet_keras.core.template import SweetTemplate
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.pretrain import pretrain
from sweet_keras.runs.pretrain_config import PretrainConfig
from sweet_keras.runs.read_log import read_log

pytestmark = [pytest.mark.keras, pytest.mark.once]

PROGRAM = """
import sys, torch
torch.set_num_threads(1)
from sweet_keras.cli.app import run
sys.exit(run(sys.argv[1:]))
"""


def start(arguments, folder):
    """Starts two processes and returns what each printed and how it ended."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    running = [
        subprocess.Popen(command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
        for environment in environments("torch", 2)
    ]  # fmt: skip
    outputs = [process.communicate() for process in running]
    return [(process.returncode, *output) for process, output in zip(running, outputs, strict=True)]


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="the processes are torch's")
def test_two_processes_write_one_run(tiny, data, console, tmp_path):
    options = {**tiny, "data": data, "subnetwork_start": 0.0, "epochs": 2, "batch_size": 10}
    one, two = tmp_path / "one", tmp_path / "two"
    pretrain(PretrainConfig.from_mapping({**options, "out": str(one)}), console=console)
    options |= {"out": str(two), "devices": "all"}
    (tmp_path / "options.json").write_text(json.dumps(options))
    first, second = start(["pretrain", "--config", str(tmp_path / "options.json")], tmp_path)
    assert first[0] == second[0] == 0, first[2] + second[2]
    assert "Template:" in first[1]
    assert second[1:] == ("", "")
    losses = [[row["loss"] for row in read_log(RunDirectory(run).log)] for run in (one, two)]
    np.testing.assert_allclose(losses[1], losses[0], atol=1e-5)
    template = SweetTemplate.load(RunDirectory(two).template)
    assert template.record["options"]["devices"] == "all"
    # A finished run is not touched, and both say so.
    for code, _, errors in start(
        ["pretrain", "--config", str(tmp_path / "options.json")], tmp_path
    ):
        assert code == 2
        assert "holds a run that is finished" in " ".join(errors.split())
