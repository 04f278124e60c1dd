import keras
import numpy as np
import pytest
import reference_dit
from keras_checks import check_config_round_trip, numpy, randomize

from sweet_keras.layers.conditioning import Conditioning
from sweet_keras.layers.head_prefix import HeadPrefix

DEPTH, HEADS, HEAD_DIM, CLASSES = 3, 2, 4, 5
DIM = HEADS * HEAD_DIM


def make(rng=None):
    layer = Conditioning(DEPTH, HEADS, HEAD_DIM, CLASSES)
    layer.build()
    if rng is not None:
        randomize(layer, rng)
    return layer


def flat(outputs):
    """All tensors of the layers, then the last norm's, each (B, D)."""
    blocks, final = outputs
    tensors = [
        tensor
        for block in blocks
        for tensor in (*block.norm1, block.gate1, *block.norm2, block.gate2)
    ]
    return [numpy(tensor)[:, 0] for tensor in [*tensors, *final]]


def test_equals_numpy(rng):
    layer = make(rng)
    time, labels = np.array([0.0, 0.3, 1.0], "float32"), np.array([0, 5, 2])
    found = flat(layer(time, labels))
    names = ("time_in_kernel", "time_in_bias", "time_out_kernel", "time_out_bias", "label_table")
    arrays = {name: numpy(getattr(layer, name)).astype("float64") for name in names}
    maps, biases = numpy(layer.block_modulation), numpy(layer.gate_bias)
    final = numpy(layer.final_modulation)
    for i in range(3):
        c = reference_dit.condition(arrays, float(time[i]), labels[i])
        expected = [c @ maps[at][:, part] for at in range(DEPTH) for part in range(6)]
        for at in range(DEPTH):
            expected[6 * at + 2] += biases[at, 0]
            expected[6 * at + 5] += biases[at, 1]
        expected += [c @ final[:, part] for part in range(2)]
        np.testing.assert_allclose([tensor[i] for tensor in found], expected, atol=1e-4)


def test_some_layers_and_the_first_head(rng):
    """Cut or masked it gives the same, and nothing in the channels beyond."""
    layer = make(rng)
    time, labels = np.array([0.2, 0.7], "float32"), np.array([1, 3])
    whole = flat(layer(time, labels))
    some = flat(layer(time, labels, layers=[0, 2]))
    for found, expected in zip(some, [*whole[:6], *whole[12:]], strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)
    cut = flat(layer(time, labels, prefix=HeadPrefix(HEADS, HEAD_DIM, 1)))
    one = HeadPrefix(HEADS, HEAD_DIM, keras.ops.convert_to_tensor(1))
    masked = flat(layer(time, labels, prefix=one))
    for short, long, full in zip(cut, masked, whole, strict=True):
        np.testing.assert_allclose(long[:, :HEAD_DIM], short, atol=1e-5)
        assert not long[:, HEAD_DIM:].any()
        assert np.abs(short - full[:, :HEAD_DIM]).max() > 1e-3  # a condition of its own


def test_starts_at_zero_and_round_trips():
    layer = make()
    check_config_round_trip(layer)
    assert not any(tensor.any() for tensor in flat(layer(np.ones(2, "float32"), np.arange(2))))
    with pytest.raises(ValueError, match=r"`classes` must be a positive integer. Received: 1.5"):
        Conditioning(1, 1, 4, 1.5)
