import collections

import keras
import numpy as np
import pytest
from keras_checks import check_config_round_trip

from sweet_keras.layers.subnetwork_draw import SubnetworkDraw


def draws(layer, count):
    return collections.Counter(int(layer(training=True)) for _ in range(count))


def test_all_subnetworks_are_as_likely():
    layer = SubnetworkDraw("L2H3", rate=0.5, seed=3)
    counts = draws(layer, 600)
    assert set(counts) == set(range(6))
    assert abs(counts[5] - 300) < 60  # the whole network
    assert all(abs(counts[i] - 60) < 30 for i in range(5))


def test_always_or_never():
    assert draws(SubnetworkDraw("L4H4", ("L1H1",), rate=1.0), 20) == {0: 20}
    assert SubnetworkDraw("L4H4", rate=0.0)(training=True) is None
    assert SubnetworkDraw("L1H1", rate=1.0)(training=True) is None


@pytest.mark.parametrize("training", [False, None])
def test_nothing_is_drawn_outside_of_training(training):
    assert SubnetworkDraw("L4H4", rate=1.0)(training=training) is None


def test_seed_decides():
    def drawn(seed):
        layer = SubnetworkDraw("L4H9", rate=0.9, seed=seed)
        return [int(layer(training=True)) for _ in range(12)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_config_round_trip():
    check_config_round_trip(SubnetworkDraw("L4H4", ("L1H1",), 0.25, seed=7, name="draw"))
    check_config_round_trip(SubnetworkDraw("L4H4", "width", name="draw"))


@pytest.mark.parametrize("rate", [-0.1, 1.5])
def test_bad_rate(rate):
    with pytest.raises(ValueError, match=f"`rate` must be between 0 and 1. Received: {rate}"):
        SubnetworkDraw("L4H4", rate=rate)


def test_a_new_one_in_each_compiled_step():
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.draw = SubnetworkDraw("L9H9", rate=1.0, seed=0)

        def call(self, x, training=None):
            index = self.draw(training=True)
            return x * 0 + keras.ops.cast(index, "float32")

    outputs = Model().predict(np.zeros((6, 1)), batch_size=1, verbose=0)
    assert len(set(outputs.ravel())) > 2
