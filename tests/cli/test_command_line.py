"""What becomes of options, files of options, errors and interruptions; nothing is trained."""

import dataclasses

import pytest

from sweet_keras.cli import app, main
from sweet_keras.cli.app import run
from sweet_keras.cli.pretrain import PRETRAIN
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.environment import write_environment


@pytest.fixture
def pretrain(monkeypatch):
    """Replaces what `sweet pretrain` does; returns the calls it gets."""
    calls = []

    def use(body):
        def recorded(call):
            calls.append(call)
            body(call)

        command = dataclasses.replace(PRETRAIN, body=recorded)
        monkeypatch.setattr(app, "COMMANDS", (command,))
        return calls

    use(lambda call: None)
    use.calls = calls
    return use


def raises(error):
    def body(call):
        raise error

    return body


def test_command_line_wins_over_file_and_file_over_defaults(pretrain, tmp_path):
    file = tmp_path / "options.yaml"
    file.write_text("data: photos\nepochs: 7\nbatch-size: 3\njit: false\nranks: [1, 2, 3]\n")
    line = ["pretrain", "--config", str(file), "--out", "x", "--epochs", "9", "--size", "L1H1"]
    assert run(line) == 0
    (call,) = pretrain.calls
    config = call.config
    assert (config.data, config.epochs, config.batch_size) == ("photos", 9, 3)
    assert (config.jit, config.ranks, config.size, config.warmup) == (False, "1,2,3", "L1H1", 0.05)
    assert call.arguments == line
    assert not call.resume and not call.overwrite


def test_a_default_given_on_the_command_line_wins_as_well(pretrain, tmp_path):
    (tmp_path / "o.json").write_text('{"data": "photos", "out": "x", "epochs": 7}')
    run(["pretrain", "--config", str(tmp_path / "o.json"), "--epochs", "100"])
    assert pretrain.calls[0].config.epochs == 100


@pytest.mark.parametrize(("given", "expected"), [("--jit", True), ("--no-jit", False)])
def test_flags(pretrain, given, expected):
    run(["pretrain", "--data", "d", "--out", "x", given, "--overwrite"])
    assert pretrain.calls[0].config.jit is expected and pretrain.calls[0].overwrite


def test_resume_goes_on_with_the_options_of_the_run(pretrain, tmp_path, capsys):
    directory = RunDirectory(tmp_path / "run")
    config = PRETRAIN.config(data="photos", out=str(directory.path), epochs=3, batch_size=5)
    directory.start()
    directory.write_config(config)
    write_environment(directory.environment, "pretrain")
    line = ["pretrain", "--out", str(directory.path), "--resume"]
    assert run([*line, "--epochs", "8"]) == 0
    (call,) = pretrain.calls
    assert call.resume
    assert call.config == dataclasses.replace(config, epochs=8)
    assert run([*line, "--batch-size", "6"]) == 2
    assert "--batch-size cannot change with --resume" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["pretrain"], "--data is required"),
        (["pretrain", "--data", "d"], "--out is required"),
        (["pretrain", "--epocs", "3"], "Did you mean --epochs?"),
        (["pretrain", "--epochs", "x"], "--epochs"),
        (
            ["pretrain", "--data", "d", "--out", "x", "--epochs", "-1"],
            "--epochs must be a positive",
        ),
        (["pretrain", "--config", "none.yaml"], "Cannot read none.yaml"),
        (["pretrain", "--resume"], "--resume needs --out"),
        (["pretrain", "--resume", "--overwrite", "--out", "x"], "exclude each other"),
        (["pretrain", "extra", "--data", "d", "--out", "x"], "extra"),
        (["prtrain"], "prtrain"),
    ],
)
def test_wrong_options_are_one_line_and_exit_code_2(pretrain, line, message, capsys):
    assert run(line) == 2
    out, err = capsys.readouterr()
    assert message in err and "Traceback" not in err and out == ""
    assert len(err.splitlines()) <= 2
    assert pretrain.calls == []


def test_unknown_key_in_a_file_names_the_nearest(pretrain, tmp_path, capsys):
    (tmp_path / "o.yaml").write_text("data: d\nout: x\nlearnin_rate: 1\n")
    assert run(["pretrain", "--config", str(tmp_path / "o.yaml")]) == 2
    err = capsys.readouterr().err
    assert "'learnin_rate'" in err and "o.yaml" in err and "Did you mean 'learning_rate'?" in err


LINE = ["pretrain", "--data", "d", "--out", "x"]


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ValueError("`size` must be even. Received: 3"), 2, "--size must be even. Received: 3"),
        (FileNotFoundError("No template file at 'x'"), 2, "No template file at 'x'"),
        (ValueError("shapes differ\nsomewhere inside"), 1, "ValueError: shapes differ"),
        (RuntimeError("[bold]out of memory"), 1, "RuntimeError: [bold]out of memory"),
        (MemoryError(), 1, "MemoryError: MemoryError"),
        (KeyboardInterrupt(), 130, "Interrupted.\n"),
    ],
)
def test_errors(pretrain, error, code, message, capsys):
    pretrain(raises(error))
    assert run(LINE) == code
    err = capsys.readouterr().err
    assert message in err and "Traceback" not in err


def test_an_interrupted_run_can_be_resumed_once_it_was_started(pretrain, capsys, tmp_path):
    pretrain(raises(KeyboardInterrupt()))
    line = ["pretrain", "--data", "photos", "--out", str(tmp_path)]
    run(line)
    assert "--resume" not in capsys.readouterr().err
    (tmp_path / "config.yaml").touch()
    run(line)
    assert "Go on from where it was last saved with --resume." in capsys.readouterr().err


@pytest.mark.parametrize(
    "error",
    [
        ModuleNotFoundError("No module named 'jax'", name="jax"),
        ValueError("Unable to import backend : jax"),
    ],
)
def test_a_backend_that_is_not_installed(error, pretrain, capsys, monkeypatch):
    pretrain(raises(error))
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert run(LINE) == 2
    assert "KERAS_BACKEND must name a framework that is installed" in capsys.readouterr().err


def test_debug_shows_where_an_error_comes_from(pretrain):
    pretrain(raises(RuntimeError("deep inside")))
    with pytest.raises(RuntimeError, match="deep inside"):
        run([*LINE, "--debug"])


def test_main_ends_the_process_with_the_code(pretrain):
    with pytest.raises(SystemExit) as end:
        main(["pretrain"])
    assert end.value.code == 2
