"""What a soak says of memory, and one cycle of it."""

import importlib
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.keras, pytest.mark.once]


@pytest.fixture
def soak(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    return importlib.import_module("benchmarks.soak")


def test_what_counts_is_the_second_half(soak):
    seconds = np.arange(0.0, 3601.0, 60.0)
    settling = 500 + 400 * np.minimum(seconds / 1800, 1)  # grows until half time
    slope, grew = soak.judge(seconds, settling)
    assert abs(slope) < 1e-6
    assert not grew
    slope, grew = soak.judge(seconds, settling + 0.05 * seconds)
    assert slope == pytest.approx(180)
    assert grew


def test_a_cycle(soak):
    seconds, memory = soak.soak(0)
    assert len(seconds) == len(memory) == 1
    assert 50 < memory[0] < 1e5
