"""The active backend's package, and that the three have the same interface."""

import ast
import importlib
from pathlib import Path

import keras
import pytest

from sweet_keras import backends

FOLDER = Path(__file__).parents[2] / "backends"


def test_current_is_the_package_of_the_keras_backend():
    module = backends.current()
    assert module.__name__ == f"sweet_keras.backends.{keras.backend.backend()}"
    assert module is importlib.import_module(module.__name__)


def test_current_refuses_other_backends(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "openvino")
    with pytest.raises(ValueError, match=r"tensorflow, torch, jax.*Received: 'openvino'"):
        backends.current()


def interface(path):
    """Returns the public functions of a source file: name, arguments and result as written.

    Those that two backends share are taken from the file beside their folders that has them.
    """
    found, tree = {}, ast.parse(path.read_text()).body
    listed = {
        name
        for node in tree
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        for name in ast.literal_eval(node.value)
    }
    for node in tree:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            found[node.name] = ast.unparse(node.args), ast.unparse(node.returns)
        elif isinstance(node, ast.ImportFrom) and node.level == 2 and node.module:
            shared = interface(FOLDER / f"{node.module.replace('.', '/')}.py")
            found |= {name.name: shared[name.name] for name in node.names if name.name in listed}
    return found


def test_backends_have_the_same_files_and_functions():
    trees = [
        {path.relative_to(FOLDER / name): interface(path) for path in (FOLDER / name).rglob("*.py")}
        for name in backends.NAMES
    ]
    assert Path("device.py") in trees[0]
    assert trees[0] == trees[1] == trees[2]


@pytest.mark.parametrize("name", backends.NAMES)
def test_requirements_of_a_backend_are_there(name):
    for file in ("requirements.txt", "requirements-gpu.txt"):
        assert (FOLDER / name / file).read_text().strip()
