import keras
import numpy as np
import pytest
from keras_checks import (
    check_config_round_trip,
    check_mixed_precision,
    check_saving,
    check_training_step,
    images,
    numpy,
    randomize,
)
from reference_vit import vit as reference_vit

import sweet_keras as sk

SHAPE = (8, 12, 2)
OPTIONS = {"image_shape": SHAPE, "patch_size": 4, "head_dim": 4}
VARIANTS = {
    "plain": {},
    "class_token": {"class_token": True, "positions": "learned"},
    "layer_scale": {"layer_scale": 0.1, "pixel_mean": (90.0, 100.0), "pixel_std": (50.0, 60.0)},
    "factored": {"ranks": (6, 2, 2), "tokens": 100_000},
    "form": {
        **{"register_tokens": 2, "norm_epsilon": 0.1, "mlp_ratio": 3, "activation": "gelu_tanh"},
    },
    "factored_form": {
        **{"class_token": True, "register_tokens": 1, "norm_epsilon": 1e-5, "mlp_ratio": 2},
        **{"activation": "gelu_tanh", "ranks": (6, 2, 2), "tokens": 100_000},
    },
}


def make(rng=None, size="L2H3", **options):
    layer = sk.SweetTemplateViT(size, **{"ranks": (9, 11, 12), **OPTIONS, **options})
    layer.build()
    layer.built = True
    if rng is not None:
        randomize(layer, rng)
    return layer


def reference(template, x):
    """The template's network, its W from one einsum and its layers from plain numpy."""
    g, mode, u, v = (np.asarray(factor, "float64") for factor in template.factors)
    dim = template.size.embed_dim
    ratio = template.mlp_ratio
    w = np.einsum("kpq,bk,ip,jq->bij", g, mode, u, v, optimize=True)
    w = w.reshape(template.size.depth, -1, dim, dim)
    arrays = dict(template.arrays)
    arrays["qkv/kernel"] = np.concatenate([w[:, 0], w[:, 1], w[:, 2]], axis=2)
    arrays["output/kernel"] = w[:, 3]
    arrays["mlp_in/kernel"] = np.concatenate([w[:, 4 + i] for i in range(ratio)], axis=2)
    arrays["mlp_out/kernel"] = np.concatenate([w[:, 4 + ratio + i] for i in range(ratio)], axis=1)
    return reference_vit(
        x,
        arrays,
        template.size.num_heads,
        template.patch_size,
        np.array(template.pixel_mean),
        np.array(template.pixel_std),
        template.norm_epsilon,
        template.activation,
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_equals_numpy(rng, variant):
    layer = make(rng, **VARIANTS[variant])
    assert layer.kernels.plan(layer.size).materialize == ("factored" not in variant)
    x = images(rng, 2, SHAPE)
    np.testing.assert_allclose(numpy(layer(x)), reference(layer.template(), x), atol=2e-5)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("heads", [1, 2, 3])
def test_masked_wide_network_is_the_narrow_network(rng, heads, variant):
    wide = make(rng, **VARIANTS[variant])
    x = images(rng, 2, SHAPE)
    narrow = numpy(sk.materialize(wide.template(), f"L2H{heads}")(x))
    masked = numpy(wide(x, heads=keras.ops.convert_to_tensor(heads)))
    cut = numpy(wide(x, heads=heads))
    for outputs in (masked, cut):
        np.testing.assert_allclose(outputs[..., : 4 * heads], narrow, atol=1e-5)
        np.testing.assert_array_equal(outputs[..., 4 * heads :], 0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_materialized_network_is_the_template_network(rng, variant):
    layer = make(rng, **VARIANTS[variant])
    x = images(rng, 2, SHAPE)
    plain = sk.materialize(layer.template())
    np.testing.assert_allclose(numpy(plain(x)), numpy(layer(x)), atol=1e-5)


def test_template_round_trip(rng):
    layer = make(rng, layer_scale=0.1, **VARIANTS["factored_form"])
    template = layer.template({"note": "x"})
    again = sk.SweetTemplateViT(template).template(template.record)
    assert again.record == {"note": "x"}
    for name, array in template.arrays.items():
        np.testing.assert_allclose(again.arrays[name], array, rtol=1e-6, atol=1e-7)


class Wrapped(keras.Model):
    """Keras builds what it holds when it is first fitted, in a scope of its own."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        self.head = keras.layers.Dense(2)

    def call(self, x, training=None):
        return self.head(keras.ops.mean(self.layer(x, training=training), axis=1))


def fitted_without_learning(layer, x):
    model = Wrapped(layer)
    model.compile(keras.optimizers.SGD(0.0), "mse")
    model.fit(x, np.zeros((len(x), 2)), batch_size=len(x), verbose=0)
    return layer


def test_a_start_survives_being_built_by_fit(rng):
    x = images(rng, 4, SHAPE)
    template = make(rng).template()
    layer = fitted_without_learning(sk.SweetTemplateViT(template), x)
    for name, array in layer.template().arrays.items():
        np.testing.assert_allclose(array, template.arrays[name], rtol=1e-6, atol=1e-7)
    new = sk.SweetTemplateViT("L2H3", **OPTIONS)
    core = fitted_without_learning(new, x).template().arrays["core"]
    np.testing.assert_allclose(core.std(), 12**-0.5 * ((4 + 8 * 0.4) / 12) ** 0.5, rtol=0.1)


def test_network_of_another_size_and_image(rng):
    template = make(rng).template()
    layer = sk.SweetTemplateViT(template, size="L3H2", image_shape=(16, 8, 2))
    x = images(rng, 2, (16, 8, 2))
    assert numpy(layer(x)).shape == (2, 8, 8)
    assert not layer.train_core
    assert layer.subnetwork_rate == 0
    plain = sk.materialize(template, "L3H2", image_shape=(16, 8, 2))
    np.testing.assert_allclose(numpy(plain(x)), numpy(layer(x)), atol=1e-5)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("size", ["L1H3", "L2H2", "L3H1"])
def test_drawn_network_is_the_one_cut_from_the_template(rng, size, variant):
    options = {"subnetworks": (size,), "subnetwork_rate": 1.0, "seed": 0, **VARIANTS[variant]}
    layer = make(rng, size="L4H3", **options)
    x = images(rng, 2, SHAPE)
    narrow = numpy(sk.materialize(layer.template(), size)(x))
    drawn = numpy(layer(x, training=True))
    np.testing.assert_allclose(drawn[1:, :, : narrow.shape[-1]], narrow[1:], atol=1e-5)
    np.testing.assert_array_equal(drawn[1:, :, narrow.shape[-1] :], 0)
    # One image at least, and all of them outside of training, go through the whole network.
    whole = numpy(sk.materialize(layer.template())(x))
    np.testing.assert_allclose(drawn[0], whole[0], atol=1e-5)
    np.testing.assert_allclose(numpy(layer(x)), whole, atol=1e-5)


def test_part_of_a_batch_goes_through_a_subnetwork(rng):
    layer = make(rng, subnetworks=("L1H1", "L2H2"), subnetwork_rate=0.4, seed=0)
    x = images(rng, 5, SHAPE)
    expected = {
        heads: numpy(sk.materialize(layer.template(), size)(x[3:]))
        for heads, size in ((1, "L1H1"), (2, "L2H2"))
    }
    whole = numpy(layer(x[:3]))
    for _ in range(2):
        outputs = numpy(layer(x, training=True))
        np.testing.assert_allclose(outputs[:3], whole, atol=1e-5)
        heads = 1 if (outputs[3:, :, 4:] == 0).all() else 2
        np.testing.assert_allclose(outputs[3:, :, : 4 * heads], expected[heads], atol=1e-5)


def test_subnetworks_are_as_likely():
    layer = make(subnetworks=("L1H1", "L2H1", "L1H2"), seed=0)
    counts = np.bincount([int(layer.draw()) for _ in range(300)], minlength=3)
    assert len(counts) == 3
    assert (abs(counts - 100) < 30).all()


@pytest.mark.parametrize("jit_compile", [False, True])
def test_trains_inside_a_sequential_model(rng, jit_compile):
    if jit_compile and keras.backend.backend() == "torch":
        pytest.skip("a minute of compilation: examples/keras_sequential.py --jit does it")
    jax = keras.backend.backend() == "jax"
    model = keras.Sequential(
        [
            keras.Input(SHAPE),
            # Without compilation, JAX would compile the drawn branch anew in each step.
            make(subnetworks=("L1H2",), subnetwork_rate=0.4 * (jit_compile or not jax), seed=0),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(2),
        ]
    )
    y = rng.integers(0, 2, 64)
    x = (80 + 90 * y[:, None, None, None] + 10 * rng.random((64, *SHAPE))).astype("uint8")
    model.compile(
        keras.optimizers.Adam(1e-2),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=jit_compile,
    )
    losses = model.fit(x, y, batch_size=64, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]


def test_layer_check(rng, tmp_path):
    for options in VARIANTS.values():
        check_config_round_trip(make(name="vit", drop_path=0.1, seed=3, **options))
    layer = make(rng)
    from_template = sk.SweetTemplateViT(layer.template(), size="L1H2", name="small")
    check_config_round_trip(from_template)
    x = images(rng, 4, SHAPE)
    inputs = keras.Input(SHAPE)
    model = keras.Model(inputs, layer(inputs))
    assert model.output_shape == (None, 6, 12)
    check_saving(model, x, tmp_path)
    check_saving(keras.Sequential([keras.Input(SHAPE), from_template]), x, tmp_path)
    target = rng.standard_normal((4, 6, 12)).astype("float32")
    check_training_step(keras.Model(inputs, make(rng, subnetwork_rate=0.0)(inputs)), x, target)
    frozen = make(rng, train_core=False, subnetwork_rate=0.0)
    check_training_step(keras.Model(inputs, frozen(inputs)), x, target)

    def fixed(policy):
        return make(np.random.default_rng(0), dtype=policy)

    check_mixed_precision(fixed, x)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"source": "6x6"}, "`size` must be written like 'L6H12'"),
        ({"source": "L2H2", "size": "L1H1"}, "`size` goes with a template as `source`"),
        ({"source": "L2H2", "ranks": (0, 1, 1)}, "`ranks` must be three positive integers"),
        ({"source": "L2H2", "image_shape": (9, 8, 2)}, "multiples of `patch_size`=4"),
        ({"source": "L2H2", "mlp_ratio": 2.5}, "`mlp_ratio` must be a positive integer"),
        ({"source": "L2H2", "register_tokens": -1}, "`register_tokens` must be an integer, 0 or"),
        ({"source": "L2H2", "subnetwork_rate": 2.0}, "`subnetwork_rate` must be between 0 and 1"),
        ({"source": "L2H2", "subnetworks": ("L2H2",)}, "`subnetworks` must hold sizes smaller"),
        (
            {"source": "L2H2", "drop_path": 0.1, "subnetwork_rate": 0.5},
            "`drop_path` must be 0 where sub-networks are drawn",
        ),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        sk.SweetTemplateViT(**OPTIONS | arguments)


def test_what_a_template_fixes_cannot_be_chosen():
    template = make().template()
    with pytest.raises(ValueError, match="Received: `patch_size`, `ranks`"):
        sk.SweetTemplateViT(template, patch_size=2, ranks=(1, 1, 1))
    with pytest.raises(ValueError, match="Received: `norm_epsilon`, `mlp_ratio`"):
        sk.SweetTemplateViT(template, mlp_ratio=4, norm_epsilon=1e-6)
    with pytest.raises(ValueError, match="`layer_scale` must be None"):
        sk.SweetTemplateViT(template, layer_scale=0.1)
    with pytest.raises(ValueError, match="`image_shape` must have 2 channels"):
        sk.SweetTemplateViT(template, image_shape=(8, 8, 3))
