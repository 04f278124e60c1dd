import keras
import numpy as np
import pytest

from sweet_keras.initialization.brief_fit import _ScalerAdam


@pytest.mark.parametrize("rest_rate", [1.0, 0.1])
def test_scalers_learn_as_with_adam_and_the_rest_slower(rng, rest_rate):
    """A step of Adam is proportional to its rate, and its moments do not depend on it."""
    start, gradients = rng.normal(size=4), rng.normal(size=(3, 4)).astype("float32")

    def steps(optimizer, name):
        variable = keras.Variable(start, name=name, dtype="float32")
        optimizer.build([variable])
        for gradient in gradients:
            optimizer.apply([keras.ops.convert_to_tensor(gradient)])
        return keras.ops.convert_to_numpy(variable) - start

    expected = steps(keras.optimizers.Adam(1e-2), "anything")
    found = steps(_ScalerAdam(1e-2, rest_rate=rest_rate), "input_scaler")
    np.testing.assert_allclose(found, expected, atol=1e-6)
    found = steps(_ScalerAdam(1e-2, rest_rate=rest_rate), "norm_bias")
    np.testing.assert_allclose(found, rest_rate * expected, atol=1e-6)
