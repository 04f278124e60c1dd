"""What `distribute` says of one device, and what it refuses."""

import keras
import numpy as np
import pytest

import sweet_keras as sk
from sweet_keras.distribution.distribute import current, devices

BACKEND = keras.backend.backend()


def test_one_device_is_entered_and_left():
    assert (current(), devices()) == (None, 1)
    fit = keras.Model.fit
    with sk.distribute(1) as distribution:
        assert current() is distribution
        assert (distribution.devices, distribution.process, distribution.processes) == (1, 0, 1)
        assert distribution.is_writer
        with pytest.raises(ValueError, match=r"`distribute` must not be entered twice"):
            sk.distribute(1).__enter__()
    assert current() is None
    assert keras.Model.fit is fit


@pytest.mark.parametrize("wanted", [0, -1, True, 1.5, "two", None])
def test_no_number_of_devices(wanted):
    with pytest.raises(ValueError, match=r"`devices` must be a positive number or 'all'"):
        sk.distribute(wanted).__enter__()


def test_more_devices_than_there_are():
    """Never fewer than asked for, silently; torch says how to start the processes."""
    hint = "torchrun --nproc-per-node=1000" if BACKEND == "torch" else "at most the"
    with pytest.raises(ValueError, match=rf"`devices` must be .*{hint}.*Received: devices=1000"):
        sk.distribute(1000).__enter__()
    assert current() is None


def test_kernels_are_divided_on_jax_only():
    expected = "must divide" if BACKEND == "jax" else "must be 1 on"
    with pytest.raises(ValueError, match=rf"`model_parallel` {expected}.*model_parallel=3"):
        sk.distribute(1, model_parallel=3).__enter__()


def test_seeds_are_left_alone():
    keras.utils.set_random_seed(5)
    outside = keras.layers.Dense(2)
    outside.build((None, 3))
    keras.utils.set_random_seed(5)
    with sk.distribute(1):
        inside = keras.layers.Dense(2)
        inside.build((None, 3))
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(inside.kernel), keras.ops.convert_to_numpy(outside.kernel)
    )
