import json
import subprocess
import sys

import pytest

from sweet_keras.cli.app import COMMANDS, run
from sweet_keras.runs.config import flag

HEAVY = ("keras", "matplotlib", "grain", "scipy", "PIL", "torch", "tensorflow", "jax")
NAMES = [command.name for command in COMMANDS]


def loaded_by(*command_lines):
    """Runs command lines in one fresh process; returns heavy modules, exit codes and output."""
    code = (
        "import contextlib, io, json, sys\n"
        "from sweet_keras.cli import main\n"
        "codes, text = [], io.StringIO()\n"
        f"for line in {command_lines!r}:\n"
        "    with contextlib.redirect_stdout(text):\n"
        "        try: main(line)\n"
        "        except SystemExit as end: codes.append(end.code)\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "print(json.dumps([heavy, codes, text.getvalue()]))"
    )
    return json.loads(subprocess.check_output([sys.executable, "-c", code], text=True))


def test_help_loads_nothing_heavy():
    lines = [[], ["--help"], ["--version"], *([name, "--help"] for name in NAMES)]
    heavy, codes, text = loaded_by(*lines)
    assert heavy == []
    assert codes == [0] * len(lines)
    assert "KERAS_BACKEND" in text


@pytest.mark.parametrize("command", COMMANDS, ids=NAMES)
def test_help_teaches(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert run([command.name, "--help"]) == 0
    text = capsys.readouterr().out
    assert "Goes in:" in text and "Comes out:" in text
    assert "For example" in text and f"sweet {command.name}" in text.partition("For example")[2]
    for field in command.config.options().values():
        if not field.metadata["positional"]:
            assert flag(field) in text


def test_first_lines_say_what_each_command_does(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    run([])
    text = capsys.readouterr().out
    for command in COMMANDS:
        assert command.body.__doc__.partition("\n")[0] in text
