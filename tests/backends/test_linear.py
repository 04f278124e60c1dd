"""`linear` of the active backend, through `sweet_keras.layers.linear`."""

import keras
import numpy as np
import pytest

from sweet_keras.layers.linear import linear


@pytest.mark.parametrize("lead", [(), (5,), (2, 3), (2, 3, 4)])
def test_is_a_product_and_a_sum(lead, rng):
    x, kernel, bias = (rng.standard_normal(s).astype("float32") for s in ((*lead, 6), (6, 7), (7,)))
    expected = x.astype("float64") @ kernel + bias
    for given, wanted in ((bias, expected), (None, expected - bias)):
        given = None if given is None else keras.ops.convert_to_tensor(given)
        found = linear(keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(kernel), given)
        assert tuple(found.shape) == (*lead, 7)
        np.testing.assert_allclose(keras.ops.convert_to_numpy(found), wanted, atol=1e-5)


def test_mixed_types_agree_on_one(rng):
    x = keras.ops.cast(rng.standard_normal((2, 6)), "bfloat16")
    kernel = keras.ops.cast(rng.standard_normal((6, 7)), "float32")
    found = linear(x, kernel, keras.ops.zeros(7, "float32"))
    assert keras.backend.standardize_dtype(found.dtype) == "float32"


def test_variables_and_unknown_batch(rng):
    class Layer(keras.layers.Layer):
        def build(self, shape):
            self.kernel = self.add_weight((shape[-1], 3), name="kernel")
            self.bias = self.add_weight((3,), initializer="ones", name="bias")

        def call(self, x):
            return linear(x, self.kernel, self.bias)

    inputs = keras.Input((4, 5))
    layer = Layer()
    model = keras.Model(inputs, layer(inputs))
    assert model.output_shape == (None, 4, 3)
    x = rng.standard_normal((2, 4, 5)).astype("float32")
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    np.testing.assert_allclose(model.predict(x, verbose=0), x @ kernel + 1, atol=1e-5)
