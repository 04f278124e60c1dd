"""`gather` of the active backend against numpy."""

import keras
import numpy as np
import pytest

from sweet_keras import backends


@pytest.mark.parametrize("count", [1, 3, 7])
def test_takes_tokens_of_each_image(count, rng):
    x = rng.standard_normal((4, 7, 5)).astype("float32")
    order = rng.permuted(np.tile(np.arange(7), (4, 1)), axis=1)[:, :count]
    gather = backends.current().gather.gather_tokens
    found = gather(keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(order, "int32"))
    expected = np.take_along_axis(x, order[:, :, None], axis=1)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(found), expected)
