import keras
import numpy as np
import pytest
from keras_checks import check_config_round_trip, check_mixed_precision, numpy, randomize

from sweet_keras.core import cost
from sweet_keras.layers.head_prefix import HeadPrefix
from sweet_keras.layers.tucker_template import TuckerTemplate

DEPTH, HEADS, HEAD_DIM = 2, 3, 4
DIM = HEADS * HEAD_DIM


def make(ranks=(7, 5, 6), rng=None, **options):
    layer = TuckerTemplate(DEPTH, HEADS, HEAD_DIM, ranks, **options)
    layer.build()
    layer.built = True
    if rng is not None:
        randomize(layer, rng, spread=1.0)
    return layer


def product(layer):
    """W (12L, D, D) from the layer's factors, as one numpy einsum in float64."""
    g, x, u, v = (numpy(factor).astype("float64") for factor in layer.factors())
    return np.einsum("kpq,bk,ip,jq->bij", g, x, u, v)


def dense_maps(w):
    """The four kernels of each layer, from the 12 blocks one by one."""
    for blocks in w.reshape(DEPTH, 12, DIM, DIM):
        yield {
            "qkv": np.concatenate(blocks[:3], axis=1),
            "output": blocks[3],
            "mlp_in": np.concatenate(blocks[4:8], axis=1),
            "mlp_out": np.concatenate(blocks[8:], axis=0),
        }


@pytest.mark.parametrize("order", ["xuv", "xvu", "uxv", "vxu", "uvx", "vux", "factored"])
def test_every_way_equals_numpy(rng, order):
    layer = make(rng=rng)
    layer.plan = lambda size: cost.Plan(order != "factored", order, 0)
    for projections, kernels in zip(layer(), dense_maps(product(layer)), strict=True):
        for name, kernel in kernels.items():
            x = rng.standard_normal((2, 5, kernel.shape[0])).astype("float32")
            expected = x @ kernel
            np.testing.assert_allclose(
                numpy(getattr(projections, name)(x)), expected, atol=1e-5 * np.abs(expected).max()
            )


@pytest.mark.parametrize("factored", [False, True])
@pytest.mark.parametrize("heads", range(1, HEADS + 1))
def test_prefix_narrows_kernels(rng, heads, factored):
    layer = make(rng=rng)
    layer.plan = lambda size: cost.Plan(not factored, "xuv", 0)
    cut = heads * HEAD_DIM
    w = product(layer)[:, :cut, :cut]
    x = rng.standard_normal((4, 3, cut)).astype("float32")
    padded = np.concatenate([x, np.zeros((4, 3, DIM - cut), "float32")], axis=-1)
    masked = layer(prefix=HeadPrefix(HEADS, HEAD_DIM, keras.ops.convert_to_tensor(heads)))
    short = layer(prefix=HeadPrefix(HEADS, HEAD_DIM, heads))
    for number in range(DEPTH):
        expected = x @ w[12 * number + 3]
        tolerance = {"atol": 1e-5 * np.abs(expected).max()}
        np.testing.assert_allclose(numpy(short[number].output(x)), expected, **tolerance)
        outputs = numpy(masked[number].output(padded))
        np.testing.assert_allclose(outputs[..., :cut], expected, **tolerance)
        np.testing.assert_array_equal(outputs[..., cut:], 0)


@pytest.mark.parametrize("ranks", [(36, 48, 48), (18, 48, 24), (36, 96, 96)])
def test_starts_as_a_healthy_network(ranks):
    """The blocks start with the variance of Xavier's kernels and no large singular value."""
    layer = TuckerTemplate(3, 6, 8, ranks)
    layer.build()
    w = np.einsum(
        "kpq,bk,ip,jq->bij", *(numpy(factor) for factor in layer.factors()), optimize=True
    )
    w = w.reshape(3, 12, 48, 48)
    whole = ranks[0] == 36
    np.testing.assert_allclose(w[:, :4].var() * 48, 1.0, rtol=0.1 if whole else 0.3)
    np.testing.assert_allclose(w[:, 4:].var() * 48, 0.4, rtol=0.1 if whole else 0.6)
    w = w.reshape(36, 48, 48)
    assert np.linalg.norm(w, ord=2, axis=(1, 2)).max() < 4.0


def test_plan_depends_on_ranks_and_tokens():
    def materializes(ranks):
        layer = make(ranks, tokens=10_000)
        return layer.plan(layer.size).materialize

    assert not materializes((7, 2, 2))
    assert materializes((7, 12, 12))


def test_frozen_core():
    layer = make(train_core=False)
    assert [v.name for v in layer.non_trainable_variables] == ["core"]
    names = [v.name for v in layer.trainable_variables]
    assert names == ["layer_scaler", "input_scaler", "output_scaler"]


def test_layer_check(rng):
    check_config_round_trip(make(train_core=False, tokens=99, name="kernels"))
    x = rng.standard_normal((3, 4, DIM)).astype("float32")

    class Outputs:
        """What `check_mixed_precision` expects: one tensor out."""

        def __init__(self, policy):
            self.layer = make(rng=np.random.default_rng(0), dtype=policy)
            self.trainable_variables = self.layer.trainable_variables

        def __call__(self, x):
            return self.layer()[1].qkv(keras.ops.cast(x, self.layer.compute_dtype))

    check_mixed_precision(Outputs, x)


@pytest.mark.parametrize("ranks", [(1, 2), (0, 2, 2), (1.5, 2, 2), "full"])
def test_bad_ranks(ranks):
    with pytest.raises(ValueError, match="`ranks` must be three"):
        TuckerTemplate(DEPTH, HEADS, HEAD_DIM, ranks)
