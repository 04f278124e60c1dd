"""`attention` of the active backend against loops of numpy."""

import keras
import numpy as np
import pytest

from sweet_keras import backends


def by_loops(qkv, heads, mask):
    batch, length, width = qkv.shape
    dim = width // 3
    found = np.zeros((batch, length, dim))
    for image in range(batch):
        for head in range(heads):
            part = slice(head * dim // heads, (head + 1) * dim // heads)
            query, key, value = (qkv[image, :, i * dim : (i + 1) * dim][:, part] for i in range(3))
            for token in range(length):
                weights = np.exp(key @ query[token] / np.sqrt(dim // heads))
                weights = weights * mask[image, 0, 0]
                found[image, token, part] = weights @ value / weights.sum()
    return found


@pytest.mark.parametrize("last", [None, 3])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("length", [5, 20, 130])
def test_is_attention(length, masked, last, rng):
    qkv = rng.standard_normal((2, length, 24)).astype("float32")
    mask = np.ones((2, 1, 1, length), bool)
    mask[1, 0, 0, 1:4] = not masked
    expected = by_loops(qkv.astype("float64"), 4, mask)[:, -(last or length) :]
    attend = backends.current().attention.self_attention
    given = keras.ops.convert_to_tensor(mask) if masked else None
    found = attend(keras.ops.convert_to_tensor(qkv), 4, given, last)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(found), expected, atol=1e-5)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("length", [5, 20])
def test_in_16_bits(length, dtype, rng):
    qkv = keras.ops.cast(rng.standard_normal((2, length, 24)).astype("float32"), dtype)
    given = keras.ops.convert_to_numpy(keras.ops.cast(qkv, "float32"))
    expected = by_loops(given.astype("float64"), 4, np.ones((2, 1, 1, length), bool))
    found = backends.current().attention.self_attention(qkv, 4)
    assert keras.backend.standardize_dtype(found.dtype) == dtype
    found = keras.ops.convert_to_numpy(keras.ops.cast(found, "float32"))
    np.testing.assert_allclose(found, expected, atol=0.02)
