"""Without the libraries: one clear line, and nothing of them before it is needed."""

import os
import subprocess
import sys

import pytest

import sweet_keras as sk
from sweet_keras.models.optional_library import optional_library

LIBRARIES = {"cv": "keras_cv", "hub": "keras_hub"}


@pytest.fixture(params=LIBRARIES)
def missing(request, monkeypatch):
    """A package of sweet_keras as if it had never been used and its library were not installed."""
    for name in list(sys.modules):
        if name.startswith(f"sweet_keras.{request.param}."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, LIBRARIES[request.param], None)
    return request.param


def test_a_library_that_is_missing(missing):
    package = getattr(sk, missing)  # the package itself can be imported
    assert "pyramid" in dir(package)
    with pytest.raises(ImportError) as raised:
        _ = package.pyramid
    message = str(raised.value)
    assert f"pip install 'sweet_keras[{missing}]'" in message
    assert LIBRARIES[missing] in message
    assert "\n" not in message


def test_what_a_library_needs_is_missing(monkeypatch, tmp_path):
    """As keras-cv without TensorFlow."""
    (tmp_path / "eager_library.py").write_text("import tensorflow\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ImportError, match=r"eager_library: pip install .*\[cv\].*tensorflow"):
        optional_library("eager_library", "cv")


@pytest.mark.parametrize("package", LIBRARIES)
def test_no_such_name(package):
    with pytest.raises(AttributeError, match=f"sweet_keras.{package}.*no attribute 'nonsense'"):
        _ = getattr(sk, package).nonsense


@pytest.mark.once
def test_importing_loads_no_library():
    program = (
        "import sys, keras, sweet_keras as sk; sk.cv, sk.hub;"
        f"print(*(name for name in {tuple(LIBRARIES.values())} if name in sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.check_output([sys.executable, "-c", program], text=True, env=environment)
    assert found.split() == []
