"""What all tests share: reproducible randomness and figures without a screen.

Nothing here needs keras, so that tests/core runs without it.
"""

import importlib.util
import os
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("MPLBACKEND", "Agg")

# A busy machine is no error.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

HAS_KERAS = importlib.util.find_spec("keras") is not None


@pytest.fixture
def seed(request):
    """An integer that differs from test to test and is the same in every run."""
    return zlib.crc32(request.node.nodeid.encode()) % 2**31


@pytest.fixture
def rng(seed):
    """A numpy generator; draw random inputs from it."""
    return np.random.default_rng(seed)


@pytest.fixture(autouse=True)
def _seed_keras(request):
    if HAS_KERAS and "core" not in request.path.relative_to(request.config.rootpath).parts:
        import keras

        keras.utils.set_random_seed(request.getfixturevalue("seed"))
