import collections

import keras
import numpy as np
import pytest
from keras_checks import check_config_round_trip, numpy

from sweet_keras.layers.stochastic_width import StochasticWidth


def draw(layer, count):
    return collections.Counter(int(numpy(layer(training=True))) for _ in range(count))


def test_all_smaller_widths_are_as_likely():
    counts = draw(StochasticWidth(5, rate=0.5, seed=3), 600)
    assert set(counts) == {1, 2, 3, 4, 5}
    assert abs(counts[5] - 300) < 60  # 5 standard deviations
    assert all(abs(counts[heads] - 75) < 42 for heads in (1, 2, 3, 4))


def test_widths_can_be_chosen():
    assert set(draw(StochasticWidth(8, rate=1.0, widths=(2, 4), seed=0), 60)) == {2, 4}


@pytest.mark.parametrize(("rate", "heads"), [(0.0, 4), (0.7, 1)])
def test_full_width_needs_no_mask(rate, heads):
    assert StochasticWidth(heads, rate)(training=True) is None


@pytest.mark.parametrize("training", [None, False])
def test_nothing_is_drawn_outside_training(training):
    assert StochasticWidth(4, 1.0)(training=training) is None


def test_seed_decides_the_widths():
    def widths(seed):
        layer = StochasticWidth(9, rate=0.9, seed=seed)
        return [int(numpy(layer(training=True))) for _ in range(30)]

    assert widths(1) == widths(1)
    assert widths(1) != widths(2)


def test_config():
    check_config_round_trip(StochasticWidth(4, 0.25, widths=(1, 2), seed=7, name="width"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": 1.5}, "`rate` must be between 0 and 1. Received: 1.5"),
        ({"widths": (0, 2)}, "`widths` must hold head counts from 1 to 4"),
        ({"widths": ()}, "`widths` must hold head counts from 1 to 4"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        StochasticWidth(4, **options)


def test_a_new_width_at_each_compiled_step():
    """Within a compiled step the draw is not frozen into the program."""

    class Record(keras.Model):
        def __init__(self):
            super().__init__()
            self.width = StochasticWidth(1000, rate=1.0, seed=0)
            self.scale = self.add_weight((), initializer="ones", name="scale")

        def call(self, x, training=None):
            heads = self.width(training=training)
            return x * self.scale if heads is None else x * 0 + keras.ops.cast(heads, "float32")

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return keras.ops.mean(y_pred) + 0 * self.scale

    model = Record()
    model.compile("sgd")
    seen = [
        model.fit(np.ones((4, 1), "float32"), batch_size=4, epochs=1, verbose=0).history["loss"][0]
        for _ in range(4)
    ]
    assert len(set(seen)) == 4
