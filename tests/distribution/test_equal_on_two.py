"""Two devices, or two processes, give the losses and weights of one device."""

import keras
import numpy as np
import pytest
from distribution.start_phases import largest_difference, run_phases

BACKEND = keras.backend.backend()


@pytest.fixture(scope="module")
def on_one(tmp_path_factory):
    return run_phases(tmp_path_factory.mktemp("one"), 1, backend=BACKEND)


def phase_of(arrays, phase):
    return {name: array for name, array in arrays.items() if name.startswith(f"{phase}/")}


@pytest.fixture(scope="module")
def on_two(tmp_path_factory):
    return run_phases(tmp_path_factory.mktemp("two"), 2, backend=BACKEND)


@pytest.mark.parametrize("phase", ["pretrain", "adapt", "finetune"])
def test_two_devices(on_one, on_two, phase):
    one, two = phase_of(on_one, phase), phase_of(on_two, phase)
    assert len(one) > 10
    assert largest_difference(one, two) < 1e-5


@pytest.mark.skipif(BACKEND == "torch", reason="each device has a process of its own already")
def test_two_processes(tmp_path):
    one = run_phases(tmp_path, 1, "linear", backend=BACKEND)
    two = run_phases(tmp_path, 2, "linear", backend=BACKEND, processes=2)
    assert len(one) == 6
    assert largest_difference(one, two) < 1e-5


@pytest.mark.skipif(BACKEND != "jax", reason="the others refuse: see test_distribute.py")
def test_kernels_are_divided(on_one, tmp_path):
    two = run_phases(tmp_path, 2, "finetune", backend=BACKEND, model_parallel=2)
    assert largest_difference(phase_of(on_one, "finetune"), two) < 1e-5


@pytest.fixture(scope="module")
def cheap(tmp_path_factory):
    """What a layer gives on one device and on two."""
    phases = ("poisoned", "accumulated", "scaled")
    folder = tmp_path_factory.mktemp("cheap")
    return [run_phases(folder, devices, *phases, backend=BACKEND) for devices in (1, 2)]


def test_a_poisoned_row(cheap):
    """Both devices leave the step out, though one of them has no such row."""
    one, two = (phase_of(arrays, "poisoned") for arrays in cheap)
    assert one["poisoned/skipped_steps"] == 1
    if BACKEND == "tensorflow":  # whose devices leave nothing out
        assert list(two) == ["poisoned/diverged"]
    else:
        # The device with sound rows counts their loss, one device leaves out that of all rows.
        assert np.isfinite([run.pop("poisoned/loss") for run in (one, two)]).all()
        assert largest_difference(one, two) < 1e-5


@pytest.mark.parametrize("phase", ["accumulated", "scaled"])
def test_what_optimizers_do_besides(cheap, phase):
    one, two = (phase_of(arrays, phase) for arrays in cheap)
    if BACKEND == "tensorflow" and phase == "accumulated":
        assert two == {"accumulated/refused": 1}
    else:
        assert len(one) == 3
        assert largest_difference(one, two) < 1e-5
