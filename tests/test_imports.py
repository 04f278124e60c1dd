"""Importing is cheap and lazy, and an environment of tox holds the framework it is named after."""

import importlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

FRAMEWORKS = ("tensorflow", "torch", "jax")
HEAVY = ("keras", *FRAMEWORKS)
ENVIRONMENT = os.environ.get("SWEET_KERAS_ENVIRONMENT")
ROOT = Path(__file__).parents[1]

in_tox = pytest.mark.skipif(ENVIRONMENT is None, reason="tox says which environment this is")


def imported_by(statement):
    """Returns which of the heavy modules, in a fresh process, `statement` imports."""
    code = f"import sys\n{statement}\nprint(*(m for m in {HEAVY} if m in sys.modules))"
    return subprocess.check_output([sys.executable, "-c", code], text=True).split()


@pytest.mark.parametrize("module", ["sweet_keras", "sweet_keras.core"])
def test_import_loads_neither_keras_nor_a_framework(module):
    assert imported_by(f"import {module}") == []


@in_tox
def test_environment_has_its_framework_only():
    found = [name for name in FRAMEWORKS if importlib.util.find_spec(name)]
    assert found == [name for name in FRAMEWORKS if name == ENVIRONMENT]


@in_tox
def test_core_environment_has_no_keras():
    assert (importlib.util.find_spec("keras") is None) == (ENVIRONMENT == "core")


@pytest.mark.skipif(ENVIRONMENT in (None, "core"), reason="only backend environments install it")
@pytest.mark.parametrize(
    ("folder", "package"),
    [("sweet_keras", "sweet_keras"), ("backends", "sweet_keras.backends")],
)
def test_every_module_is_installed(folder, package):
    installed = Path(importlib.import_module(package).__file__).parent
    assert installed != ROOT / folder
    modules = [path.relative_to(ROOT / folder) for path in (ROOT / folder).rglob("*.py")]
    assert modules
    assert [str(module) for module in modules if not (installed / module).is_file()] == []
