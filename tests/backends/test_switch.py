"""`switch` of the active backend: what comes out, and gradients of all that goes in."""

import keras
import numpy as np
import pytest
from keras import ops
from keras_checks import numpy

from sweet_keras import backends


class Switched(keras.Model):
    """Sums what a branch makes of an operand, an integer operand and variables of its own."""

    def __init__(self, index):
        super().__init__()
        self.index = index
        names = ("before", "both", "first")
        self.before, self.both, self.first = (
            self.add_weight((3,), initializer="ones", name=name) for name in names
        )

    def call(self, x):
        branches = [
            lambda x, count: x * self.both * self.first,
            lambda x, count: x * self.both * ops.cast(count, "float32")[:, None],
        ]
        count = ops.arange(1, 5, dtype="int32")
        return backends.current().switch.switch(
            ops.cast(self.index, "int32"), branches, x * self.before, count
        )

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.sum(y_pred) + 0 * ops.sum(self.first)  # always has a gradient


@pytest.mark.parametrize("index", [0, 1])
def test_gradients_of_operands_and_of_what_is_outside(index, rng):
    x = rng.standard_normal((4, 3)).astype("float32")
    model = Switched(index)
    model.compile(keras.optimizers.SGD(1.0))
    history = model.fit(x, batch_size=4, epochs=1, shuffle=False, verbose=0)
    weight = np.ones(4) if index == 0 else np.arange(1, 5)
    each = (x * weight[:, None]).sum(0)  # all variables are 1
    np.testing.assert_allclose(history.history["loss"], each.sum(), rtol=1e-5)
    np.testing.assert_allclose(numpy(model.before), 1 - each, atol=1e-5)
    np.testing.assert_allclose(numpy(model.both), 1 - each, atol=1e-5)
    np.testing.assert_allclose(numpy(model.first), 1 - each * (index == 0), atol=1e-5)
