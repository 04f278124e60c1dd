import errno
import json

import pytest

from sweet_keras.runs.compare_config import CompareConfig
from sweet_keras.runs.directory import RunDirectory, resumed_options
from sweet_keras.runs.environment import write_environment
from sweet_keras.runs.pretrain_config import PretrainConfig


@pytest.fixture
def run(tmp_path):
    return RunDirectory(tmp_path / "run")


def begin(run, **options):
    config = PretrainConfig(data="photos", out=str(run.path), **options)
    run.start()
    run.write_config(config)
    write_environment(run.environment, "pretrain", ["pretrain", "--data", "my photos"])


def test_states(run):
    assert run.state == "new"
    begin(run)
    assert run.state == "unfinished"
    run.results.write_text("{}")
    assert run.state == "finished"


def test_a_run_is_not_overwritten_unasked(run):
    begin(run)
    with pytest.raises(ValueError, match=r"--resume .*--overwrite .*Received.*unfinished"):
        run.start()
    run.results.write_text("{}")
    with pytest.raises(ValueError, match="holds a run that is finished") as error:
        run.start()
    assert "--resume" not in str(error.value)


def test_overwrite_removes_the_run_and_nothing_else(run):
    begin(run)
    run.tensorboard.mkdir()
    (run.tensorboard / "events").write_text("x")
    run.results.write_text("{}")
    (run.path / "notes.txt").write_text("mine")
    run.start(overwrite=True)
    assert [path.name for path in run.path.iterdir()] == ["notes.txt"]


def test_folders_that_are_no_runs_are_left_alone(run):
    run.path.mkdir()
    (run.path / "model.keras").write_text("somebody's")
    for overwrite in (False, True):
        with pytest.raises(ValueError, match=r"holds model\.keras but no run"):
            run.start(overwrite=overwrite)
    assert (run.path / "model.keras").read_text() == "somebody's"


def test_out_is_a_file(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ValueError, match="--out must be a folder"):
        RunDirectory(tmp_path / "file").start()


def test_resume_reads_the_options_back(run):
    begin(run, epochs=3, batch_size=7)
    options = resumed_options(PretrainConfig, {"out": str(run.path)}, run, "pretrain")
    assert PretrainConfig.from_mapping(options) == PretrainConfig(
        data="photos", out=str(run.path), epochs=3, batch_size=7
    )


def test_resume_takes_more_epochs_and_refuses_other_changes(run):
    begin(run, epochs=3)
    options = resumed_options(PretrainConfig, {"epochs": 5, "workers": 2}, run, "pretrain")
    assert options["epochs"] == 5
    with pytest.raises(ValueError, match=r"--batch-size cannot change .*256.*Received: 64"):
        resumed_options(PretrainConfig, {"epochs": 5, "batch_size": 64}, run, "pretrain")


def test_resume_refuses_fewer_epochs_than_are_trained(run):
    begin(run, epochs=3)
    run.log.write_text("epoch,seconds,loss\n1,2.0,0.5\n2,2.0,0.4\n")
    assert resumed_options(PretrainConfig, {"epochs": 2}, run, "pretrain")["epochs"] == 2
    with pytest.raises(ValueError, match=r"--epochs must be at least 2, .* Received: 1"):
        resumed_options(PretrainConfig, {"epochs": 1}, run, "pretrain")


def test_resume_adds_to_lists(run):
    config = CompareConfig(data="photos", out=str(run.path), methods=("xavier", "prefix"))
    run.start()
    run.write_config(config)
    given = {"methods": ["sweet_slice", "xavier"], "seeds": 5}
    options = resumed_options(CompareConfig, given, run, "compare")
    assert options["methods"] == ["xavier", "prefix", "sweet_slice"] and options["seeds"] == 5
    assert options["sizes"] == list(config.sizes)


def test_resume_accepts_what_is_the_same_in_another_spelling(run):
    begin(run, learning_rate=0.001)
    resumed_options(PretrainConfig, {"learning-rate": "1e-3"}, run, "pretrain")


def test_resume_needs_a_run_of_the_same_command(run):
    with pytest.raises(ValueError, match="--resume needs a run that was started before"):
        run.saved_options("pretrain")
    begin(run)
    with pytest.raises(ValueError, match="started by 'sweet pretrain'"):
        run.saved_options("finetune")


def test_environment_notes_command_and_versions(run):
    begin(run)
    write_environment(run.environment, "pretrain", ["pretrain", "--resume"])
    environment = json.loads(run.environment.read_text())
    assert environment["command_line"] == "sweet pretrain --data 'my photos'"
    assert environment["versions"]["numpy"]
    assert [again["command_line"] for again in environment["resumed"]] == [
        "sweet pretrain --resume"
    ]


def test_one_process_at_a_time(run):
    other = RunDirectory(run.path)
    with run.held():
        begin(run)
        with (
            pytest.raises(ValueError, match=r"no other process is training\. Received.*run"),
            other.held(),
        ):
            pass
        run.start(overwrite=True)  # does not remove the claim
        with pytest.raises(ValueError, match="no other process"), other.held():
            pass
    with other.held():
        pass


def test_a_folder_that_cannot_be_written_to(run, monkeypatch):
    def refuses(*arguments, **options):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(type(run.path), "open", refuses)
    with pytest.raises(ValueError, match=r"can be written to\. Received.*Read-only"), run.held():
        pass
    monkeypatch.undo()
    monkeypatch.setattr(type(run.path), "mkdir", refuses)
    with pytest.raises(ValueError, match=r"can be made\. Received.*Read-only"), run.held():
        pass
