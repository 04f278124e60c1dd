import keras
import numpy as np
import pytest
from keras_checks import (
    check_config_round_trip,
    check_mixed_precision,
    check_saving,
    check_training_step,
    numpy,
    randomize,
)
from reference_vit import block as reference_block

from sweet_keras.core.size import ViTSize
from sweet_keras.layers.head_prefix import HeadPrefix
from sweet_keras.layers.transformer_block import TransformerBlock, block_stack

HEADS, HEAD_DIM, TOKENS = 3, 4, 5
DIM = HEADS * HEAD_DIM


def make(rng=None, **options):
    layer = TransformerBlock(HEADS, HEAD_DIM, **options)
    layer.build((None, TOKENS, DIM))
    if rng is not None:
        randomize(layer, rng)
    return layer


def arrays_of(layer):
    return {name: numpy(variable)[None] for name, variable in layer.named_weights().items()}


@pytest.mark.parametrize("activation", ["gelu", "gelu_tanh"])
@pytest.mark.parametrize("layer_scale, ratio", [(None, 4), (0.1, 4), (None, 1), (0.1, 3)])
def test_equals_numpy(rng, layer_scale, ratio, activation):
    epsilon = 0.1 if ratio == 3 else 1e-6
    form = {"norm_epsilon": epsilon, "mlp_ratio": ratio, "activation": activation}
    layer = make(rng, layer_scale=layer_scale, **form)
    x = rng.standard_normal((2, TOKENS, DIM)).astype("float32")
    arrays = arrays_of(layer)
    expected = [reference_block(image, arrays, 0, HEADS, epsilon, activation) for image in x]
    np.testing.assert_allclose(numpy(layer(x)), expected, atol=1e-5, rtol=1e-5)


def test_the_two_activations_differ(rng):
    x = rng.standard_normal((2, TOKENS, DIM)).astype("float32")
    exact, other = (make(np.random.default_rng(0), activation=a) for a in ("gelu", "gelu_tanh"))
    difference = np.abs(numpy(exact(x)) - numpy(other(x))).max()
    assert 1e-5 < difference < 1e-2


@pytest.mark.parametrize("heads", range(1, HEADS + 1))
def test_masked_block_is_the_narrow_block(rng, heads):
    wide = make(rng)
    narrow = TransformerBlock(heads, HEAD_DIM)
    cut = heads * HEAD_DIM
    narrow.build((None, TOKENS, cut))
    weights, mask = wide.named_weights(), np.arange(DIM) < cut
    for name, variable in weights.items():
        if name.endswith("kernel"):
            array = numpy(variable)
            rows = np.tile(mask, array.shape[0] // DIM)
            columns = np.tile(mask, array.shape[1] // DIM)
            narrow.named_weights()[name].assign(array[rows][:, columns])
            variable.assign(array * rows[:, None] * columns)  # as a masked template gives them
        else:
            narrow.named_weights()[name].assign(numpy(variable)[..., :cut])
    x = rng.standard_normal((2, TOKENS, cut)).astype("float32")
    padded = np.concatenate([x, np.zeros((2, TOKENS, DIM - cut), "float32")], axis=-1)
    prefix = HeadPrefix(HEADS, HEAD_DIM, keras.ops.convert_to_tensor(heads))
    masked = numpy(wide(padded, prefix=prefix))
    np.testing.assert_allclose(masked[..., :cut], numpy(narrow(x)), atol=1e-5, rtol=1e-5)
    np.testing.assert_array_equal(masked[..., cut:], 0.0)


def test_drop_path_drops_whole_samples(rng):
    layer = make(rng, drop_path=0.5)
    x = rng.standard_normal((64, TOKENS, DIM)).astype("float32")
    outputs = numpy(layer(x, training=True))
    untouched = np.abs(outputs - x).max(axis=(1, 2)) == 0
    assert 4 <= untouched.sum() <= 32  # both branches dropped: a quarter of 64 expected
    np.testing.assert_array_equal(numpy(layer(x, training=False)), numpy(layer(x)))


def test_drop_rate_grows_linearly():
    blocks = block_stack(ViTSize(5, 1, 4), drop_path=0.4)
    np.testing.assert_allclose([block.drop_path for block in blocks], [0, 0.1, 0.2, 0.3, 0.4])


def test_layer_check(rng, tmp_path):
    check_config_round_trip(make(drop_path=0.1, layer_scale=1e-5, name="block"))
    check_config_round_trip(make(norm_epsilon=1e-5, mlp_ratio=2, activation="gelu_tanh"))
    x = rng.standard_normal((4, TOKENS, DIM)).astype("float32")
    inputs = keras.Input((TOKENS, DIM))
    layer = make(rng, layer_scale=0.5)
    model = keras.Model(inputs, layer(inputs))
    assert model.output_shape == (None, TOKENS, DIM)
    assert len(layer.weights) == 14
    check_saving(model, x, tmp_path)
    check_training_step(model, x, rng.standard_normal(x.shape).astype("float32"))

    def fixed(policy):
        return make(np.random.default_rng(0), dtype=policy)

    check_mixed_precision(fixed, x)


def test_only_the_last_tokens(rng):
    block = TransformerBlock(2, 8)
    x = rng.standard_normal((2, 7, 16)).astype("float32")
    whole = numpy(block(x))[:, 4:]
    np.testing.assert_allclose(numpy(block(x, last=3)), whole, atol=1e-6)
    block.remat = True
    np.testing.assert_allclose(numpy(block(x, last=3, training=True)), whole, atol=1e-6)


def test_only_the_last_tokens_of_windows_is_an_error():
    with pytest.raises(ValueError, match="`last`"):
        TransformerBlock(2, 8, grid=(4, 4), window=2)(np.zeros((1, 16, 16), "float32"), last=3)


def test_wrong_width_is_an_error():
    with pytest.raises(ValueError, match=r"12 channels \(3 heads of 4\). Received: .*13"):
        TransformerBlock(HEADS, HEAD_DIM).build((None, TOKENS, 13))
