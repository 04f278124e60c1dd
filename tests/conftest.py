"""What all tests share: reproducible randomness and figures without a screen.

Nothing here needs keras, so that tests/core runs without it.
"""

import importlib.util
import os
import sys
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("MPLBACKEND", "Agg")

# A busy machine is no error.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

HAS_KERAS = importlib.util.find_spec("keras") is not None

# What is tested here runs without Keras, so it is the same on every backend: tox tests it on one,
# by `-m keras` elsewhere. A file that does need Keras has this mark; all other folders need it.
WITHOUT_KERAS = {"benchmarks", "cli", "core", "data", "evaluation", "report", "runs"}


@pytest.hookimpl(tryfirst=True)  # before `-m` selects
def pytest_collection_modifyitems(config, items):
    here = config.rootpath / "tests"
    for item in items:
        if item.path.relative_to(here).parts[0] not in WITHOUT_KERAS:
            item.add_marker("keras")


@pytest.fixture
def seed(request):
    """An integer that differs from test to test and is the same in every run."""
    return zlib.crc32(request.node.nodeid.encode()) % 2**31


@pytest.fixture
def rng(seed):
    """A numpy generator; draw random inputs from it."""
    return np.random.default_rng(seed)


@pytest.fixture(autouse=True)
def _seed_or_forbid_keras(request, monkeypatch):
    if not HAS_KERAS:
        return
    if request.node.get_closest_marker("keras"):
        import keras

        keras.utils.set_random_seed(request.getfixturevalue("seed"))
    else:
        monkeypatch.setitem(sys.modules, "keras", None)  # importing it fails
