import keras
import numpy as np
import pytest
from keras_checks import check_config_round_trip, check_mixed_precision, numpy, randomize
from reference_vit import layer_norm

from sweet_keras.layers.head_prefix import HeadPrefix
from sweet_keras.layers.layer_norm import NestedLayerNormalization

HEADS, HEAD_DIM = 4, 3


def make(rng, **options):
    layer = NestedLayerNormalization(**options)
    layer.build((None, HEADS * HEAD_DIM))
    randomize(layer, rng)
    return layer


@pytest.mark.parametrize("heads", [None, 1, 2, 3, 4])
def test_statistics_follow_the_width(rng, heads):
    layer = make(rng)
    cut = (heads or HEADS) * HEAD_DIM
    x = (3 + 2 * rng.standard_normal((5, HEADS * HEAD_DIM))).astype("float32")
    expected = layer_norm(x[:, :cut], numpy(layer.scale)[:cut], numpy(layer.bias)[:cut])
    short = numpy(layer(x[:, :cut], prefix=HeadPrefix(HEADS, HEAD_DIM, heads)))
    np.testing.assert_allclose(short, expected, atol=1e-5)
    if heads is not None:
        x[:, cut:] = 0
        prefix = HeadPrefix(HEADS, HEAD_DIM, keras.ops.convert_to_tensor(heads))
        masked = numpy(layer(x, prefix=prefix))
        np.testing.assert_allclose(masked[:, :cut], expected, atol=1e-5)
        np.testing.assert_array_equal(masked[:, cut:], 0)


def test_layer_check(rng):
    check_config_round_trip(NestedLayerNormalization(epsilon=1e-5, name="norm"))
    x = (30 + rng.standard_normal((5, HEADS * HEAD_DIM))).astype("float32")
    check_mixed_precision(lambda policy: make(np.random.default_rng(0), dtype=policy), x)


@pytest.mark.parametrize("heads", [0, -1, 5])
def test_heads_out_of_range_are_an_error(heads):
    with pytest.raises(ValueError, match=rf"`heads` must be from 1 to 4. Received: {heads}"):
        HeadPrefix(HEADS, HEAD_DIM, heads)
