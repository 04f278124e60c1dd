import json

import numpy as np
import pytest

from sweet_keras.core.template import SweetTemplate
from sweet_keras.runs import training
from sweet_keras.runs.config import read_values
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.pretrain import pretrain
from sweet_keras.runs.pretrain_config import PretrainConfig
from sweet_keras.runs.read_log import read_log
from sweet_keras.runs.reconstruction import load_reconstruction
from sweet_keras.runs.results import Results

pytestmark = pytest.mark.keras


class Killed(BaseException):
    """Not caught by anything, as a killed process catches nothing."""


def test_a_killed_and_resumed_run_ends_as_a_whole_one(data, tmp_path, console, monkeypatch, tiny):
    whole = PretrainConfig(data=data, out=str(tmp_path / "whole"), **tiny)
    results = pretrain(whole, console=console, arguments=["pretrain", "--data", data])
    run = RunDirectory(whole.out)
    template = SweetTemplate.load(run.template)
    # What a finished run holds.
    assert PretrainConfig.from_mapping(read_values(run.config)) == whole
    assert json.loads(run.environment.read_text())["command"] == "pretrain"
    assert Results.load(run.results) == results
    assert results.pretraining.steps == 15
    assert results.pretraining.template_parameters == template.parameters
    assert template.record["options"]["epochs"] == 3
    images = load_reconstruction(run.reconstruction)
    assert images["original"].shape == (8, 8, 8, 1)
    hidden = images["masked"] != images["original"]
    assert (images["masked"][hidden] == 128).all()  # mid-grey
    assert run.state == "finished"
    # A run of the same options that dies at the end of its last epoch, before that is saved.
    killed = PretrainConfig(data=data, out=str(tmp_path / "killed"), **tiny)
    end_of_epoch = training.CSVLog.on_epoch_end

    def dies(log, epoch, logs=None):
        if epoch == 2:
            raise Killed
        end_of_epoch(log, epoch, logs)

    monkeypatch.setattr(training.CSVLog, "on_epoch_end", dies)
    with pytest.raises(Killed):
        pretrain(killed, console=console)
    monkeypatch.undo()
    assert RunDirectory(killed.out).state == "unfinished"
    resumed = pretrain(killed, console=console, resume=True)
    again = SweetTemplate.load(RunDirectory(killed.out).template)
    for name, array in template.arrays.items():
        np.testing.assert_array_equal(again.arrays[name], array, err_msg=name)
    losses = [[row["loss"] for row in read_log(RunDirectory(c.out).log)] for c in (whole, killed)]
    assert losses[0] == losses[1] and len(losses[0]) == 3
    assert resumed.pretraining.loss == results.pretraining.loss


def test_options_that_do_not_fit_leave_no_trace(data, tmp_path, console, tiny):
    out = tmp_path / "run"
    for change, message in (
        ({"patch_size": 5}, "multiples of `patch_size`"),
        ({"channels": 3}, "channels"),
        ({"mask_ratio": 0.99}, "`mask_ratio` must leave"),
        ({"data": str(tmp_path / "none")}, "an existing folder"),
    ):
        options = {"data": data, "out": str(out), **tiny, **change}
        with pytest.raises(ValueError, match=message):
            pretrain(PretrainConfig(**options), console=console)
    assert not out.exists()


def test_few_images_are_one_batch(tiny, data, tmp_path, console):
    config = PretrainConfig(
        **{**tiny, "batch_size": 64, "epochs": 2}, data=data, out=str(tmp_path / "r")
    )
    results = pretrain(config, console=console)
    assert (results.pretraining.steps, results.pretraining.batch_size) == (2, 40)
