import keras
import numpy as np
import pytest
from keras_checks import (
    check_config_round_trip,
    check_saving,
    check_training_step,
    images,
    numpy,
    randomize,
)

import sweet_keras as sk
from sweet_keras.models.generated_vit import GeneratedViT

SHAPE = (8, 12, 2)


@keras.saving.register_keras_serializable("tests")
class Halves(keras.layers.Layer):
    """Generates output kernels as 2 a bᵀ, the patch kernel as p², and the last norm's scale."""

    names = ("output/kernel", "patch/kernel", "final_norm/scale")

    def build(self, input_shape=None):
        self.a = self.add_weight((2, 12, 1), name="a")
        self.b = self.add_weight((2, 1, 12), name="b")
        self.p = self.add_weight((32, 12), name="p")
        self.s = self.add_weight((12,), initializer="ones", name="s")

    def call(self, training=None):
        return {
            "output/kernel": 2 * keras.ops.matmul(self.a, self.b),
            "patch/kernel": self.p * self.p,
            "final_norm/scale": self.s + 1.0,
        }


def make(rng, policy=None, **options):
    backbone = sk.ViTBackbone(
        "L2H3", image_shape=SHAPE, patch_size=4, head_dim=4, dtype=policy, **options
    )
    vit = GeneratedViT(backbone, Halves(dtype=policy))
    vit.build()
    randomize(vit, rng)
    return vit


@pytest.mark.parametrize("class_token", [False, True])
def test_equals_the_network_with_the_weights_written_in(rng, class_token):
    vit = make(rng, class_token=class_token, layer_scale=0.5)
    part = {name: numpy(getattr(vit.expansion, name)) for name in "abps"}
    plain = vit.materialize()
    assert type(plain) is sk.ViTBackbone
    arrays = plain.arrays()
    for layer in range(2):
        kernel = 2 * np.outer(part["a"][layer], part["b"][layer])
        np.testing.assert_allclose(arrays["output/kernel"][layer], kernel, rtol=1e-6)
    np.testing.assert_allclose(arrays["patch/kernel"], part["p"] ** 2, rtol=1e-6)
    np.testing.assert_allclose(arrays["final_norm/scale"], part["s"] + 1, rtol=1e-6)
    own = vit.backbone.arrays()
    for name in set(arrays) - set(Halves.names):
        np.testing.assert_array_equal(arrays[name], own[name])
    x = images(rng, 3, SHAPE)
    np.testing.assert_allclose(numpy(vit(x)), numpy(plain(x)), atol=1e-5)


def test_masked_autoencoder_runs_the_generated_network(rng):
    vit = make(rng)
    mae, plain = (
        sk.MaskedAutoencoder(encoder, mask_ratio=2 / 3, decoder="L1H2")
        for encoder in (vit, vit.materialize())
    )
    mae.build()
    plain.build()
    randomize(mae.decoder_layer, rng)
    plain.decoder_layer.load_arrays(mae.decoder_layer.arrays())
    x, noise = images(rng, 3, SHAPE), rng.random((3, 6)).astype("float32")
    np.testing.assert_allclose(
        numpy(mae(x, noise=noise)["prediction"]),
        numpy(plain(x, noise=noise)["prediction"]),
        atol=1e-5,
    )


def test_a_step_trains_the_generators_and_the_rest_alone(rng):
    vit = make(rng)
    mae = sk.MaskedAutoencoder(vit, mask_ratio=2 / 3, decoder="L1H2", seed=0)
    mae.build()
    x = images(rng, 8, SHAPE)
    for step in range(2):  # and a step from trained values differs from one from those at the start
        check_training_step(mae, x)
        np.testing.assert_allclose(
            numpy(vit(x)), numpy(vit.materialize()(x)), atol=1e-5, err_msg=str(step)
        )
    trained = {id(variable) for variable in vit.trainable_variables}
    assert {id(vit.expansion.a), id(vit.backbone.blocks[0].qkv_kernel)} <= trained
    assert id(vit.backbone.blocks[0].output_kernel) not in trained


@pytest.mark.parametrize("name", ["a", "p", "s"])
def test_gradients_are_those_of_finite_differences(rng, name):
    """One step of plain gradient descent, in the compiled training step of the backend."""
    vit = make(rng)
    inputs = keras.Input(SHAPE)
    model = keras.Model(inputs, vit(inputs))
    model.compile(keras.optimizers.SGD(1.0), loss="mse")
    x, y = images(rng, 2, SHAPE), rng.standard_normal((2, 6, 12)).astype("float32")
    variable = getattr(vit.expansion, name)
    before = numpy(variable)

    def loss(values):
        variable.assign(values.astype("float32"))
        return np.mean((numpy(model(x)).astype("float64") - y) ** 2)

    places = [tuple(rng.integers(0, side) for side in before.shape) for _ in range(4)]
    slopes = []
    for place in places:
        step = np.zeros(before.shape)
        step[place] = 1e-2
        slopes.append((loss(before + step) - loss(before - step)) / 2e-2)
    variable.assign(before)
    model.train_on_batch(x, y)
    gradient = before - numpy(variable)
    found = [gradient[place] for place in places]
    np.testing.assert_allclose(found, slopes, atol=2e-3 * np.abs(gradient).max() + 1e-5, rtol=2e-2)


def test_saving(rng, tmp_path):
    vit = make(rng, class_token=True)
    check_config_round_trip(vit)
    inputs = keras.Input(SHAPE)
    check_saving(keras.Model(inputs, vit(inputs)), images(rng, 2, SHAPE), tmp_path)


def test_a_saved_autoencoder_goes_on(rng, tmp_path):
    mae = sk.MaskedAutoencoder(make(rng), mask_ratio=2 / 3, decoder="L1H2")
    mae.build()
    mae.save(tmp_path / "mae.keras")
    again = keras.saving.load_model(tmp_path / "mae.keras")
    x, noise = images(rng, 3, SHAPE), rng.random((3, 6)).astype("float32")
    np.testing.assert_array_equal(
        numpy(again(x, noise=noise)["prediction"]), numpy(mae(x, noise=noise)["prediction"])
    )
    trainable = [tuple(v.shape) for v in mae.trainable_variables]
    assert [tuple(v.shape) for v in again.trainable_variables] == trainable


def test_sixteen_bits(rng):
    vit = make(rng, "mixed_bfloat16")
    x = images(rng, 2, SHAPE)
    outputs = vit(x)
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    exact = make(np.random.default_rng(0))
    exact.set_weights(vit.get_weights())
    expected = numpy(exact(x))
    error = numpy(keras.ops.cast(outputs, "float32")) - expected
    assert np.abs(error).max() < 0.1 * np.abs(expected).max()


def test_parameters_are_those_that_count(rng):
    vit = make(rng)
    generated = 2 * 12 * 12 + 32 * 12 + 12
    expansion = 2 * 24 + 32 * 12 + 12
    assert vit.parameters == vit.materialize().count_params() - generated + expansion


def test_errors(rng):
    options = {"image_shape": SHAPE, "patch_size": 4, "head_dim": 4}
    with pytest.raises(ValueError, match=r"without stochastic depth\. Received: drop_path=0\.1"):
        GeneratedViT(sk.ViTBackbone("L2H3", drop_path=0.1, **options), Halves())
    other = Halves()
    other.names = ("output/kernel", "class_token")
    with pytest.raises(ValueError, match=r"weights of the backbone\. Received: \['class_token'\]"):
        GeneratedViT(sk.ViTBackbone("L2H3", **options), other)
    with pytest.raises(ValueError, match=r"`heads` must be None"):
        make(rng).encode(np.zeros((1, 6, 32)), heads=2)
