"""`norm` of the active backend against numpy."""

import keras
import numpy as np
import pytest

from sweet_keras import backends


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-5), ("bfloat16", 2e-2)])
@pytest.mark.parametrize("scaled", [False, True])
def test_is_layer_normalisation(scaled, dtype, tolerance, rng):
    x = 3 + rng.standard_normal((2, 5, 24)).astype("float32")
    scale, bias = 1 + 0.1 * rng.standard_normal((2, 24)).astype("float32")
    x, scale, bias = (keras.ops.cast(array, dtype) for array in (x, scale, bias))
    given = (scale, bias) if scaled else (None, None)
    found = backends.current().norm.layer_norm(x, *given, 0.1)
    assert keras.backend.standardize_dtype(found.dtype) == dtype
    exact, scale, bias = (
        keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32")).astype("float64")
        for tensor in (x, scale, bias)
    )
    centred = exact - exact.mean(-1, keepdims=True)
    wanted = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 0.1)
    wanted = wanted * scale + bias if scaled else wanted
    found = keras.ops.convert_to_numpy(keras.ops.cast(found, "float32"))
    np.testing.assert_allclose(found, wanted, atol=tolerance, rtol=tolerance)
