"""TLEG against its formula: theta_l = theta_B + (l / L) theta_A, written as a loop."""

import keras
import numpy as np
import pytest
from keras_checks import images, numpy, randomize

import sweet_keras as sk
from sweet_keras.initialization.tleg import linear_vit, tleg

# On every backend `runs/test_compare.py` makes a network by each method.
pytestmark = pytest.mark.once

SHAPE = (8, 12, 2)


def blank(size="L4H3", **options):
    return sk.ViTBackbone(size, image_shape=SHAPE, patch_size=4, head_dim=4, **options)


@pytest.fixture
def source(rng):
    encoder = linear_vit(blank(class_token=True, layer_scale=0.5))
    randomize(encoder, rng)
    return encoder


@pytest.mark.parametrize("size", ["L6H2", "L2H3", "L4H1"])
def test_expands_to_any_depth_and_cuts_the_width(source, size):
    made = tleg(source, size)
    depth, dim = made.size.depth, made.embed_dim
    base = {name: numpy(v) for name, v in source.expansion.base.items()}
    slope = {name: numpy(v) for name, v in source.expansion.slope.items()}
    arrays, rest = made.arrays(), source.backbone.arrays()
    for i in range(depth):
        theta = {name: base[name] + (i + 1) / depth * slope[name] for name in base}
        query, key, value = (theta["qkv/kernel"][:dim, p * 12 : p * 12 + dim] for p in range(3))
        expected = {
            "qkv/kernel": np.concatenate([query, key, value], axis=1),
            "qkv/bias": theta["qkv/bias"][:, :dim],
            "output/kernel": theta["output/kernel"][:dim, :dim],
            "mlp_in/kernel": theta["mlp_in/kernel"][:dim, : 4 * dim],
            "mlp_in/bias": theta["mlp_in/bias"].reshape(-1)[: 4 * dim].reshape(4, dim),
            "mlp_out/kernel": theta["mlp_out/kernel"][: 4 * dim, :dim],
            "norm1/scale": theta["norm1/scale"][:dim],
            "norm2/bias": theta["norm2/bias"][:dim],
            "layer_scale2": theta["layer_scale2"][:dim],
        }
        for name, array in expected.items():
            np.testing.assert_allclose(arrays[name][i], array, rtol=1e-5, err_msg=name)
    for name in ("patch/kernel", "positions", "class_token", "final_norm/scale"):
        np.testing.assert_array_equal(arrays[name], rest[name][..., :dim])


def test_the_same_size_computes_the_same(rng, source):
    x = images(rng, 3, SHAPE)
    np.testing.assert_allclose(numpy(tleg(source, "L4H3")(x)), numpy(source(x)), atol=1e-5)


def test_training_stays_on_the_line(rng):
    encoder = linear_vit(blank())
    start = encoder.arrays()
    mae = sk.MaskedAutoencoder(encoder, mask_ratio=2 / 3, decoder="L1H2", seed=0)
    mae.compile(keras.optimizers.Adam(1e-2))
    mae.fit(images(rng, 16, SHAPE), batch_size=8, epochs=2, verbose=0)
    arrays = encoder.materialize().arrays()
    for name in encoder.expansion.names:
        assert (arrays[name] != start[name]).any(), name
        steps = np.diff(arrays[name], axis=0)
        np.testing.assert_allclose(steps, np.broadcast_to(steps[:1], steps.shape), atol=1e-6)


def test_errors(source):
    with pytest.raises(ValueError, match=r"`size` must be no wider than the source.*L3H5"):
        tleg(source, "L3H5")
    with pytest.raises(ValueError, match=r"must be made by `linear_vit`\. Received: ViTBackbone"):
        tleg(blank(), "L2H2")
    with pytest.raises(ValueError, match=r"without stochastic depth"):
        linear_vit(blank(drop_path=0.1))


def test_a_saved_autoencoder_is_as_good(rng, tmp_path):
    mae = sk.MaskedAutoencoder(linear_vit(blank()), mask_ratio=2 / 3, decoder="L1H2")
    mae.build()
    randomize(mae, rng)
    mae.save(tmp_path / "mae.keras")
    again = keras.saving.load_model(tmp_path / "mae.keras")
    x = images(rng, 2, SHAPE)
    expected = numpy(tleg(mae.encoder, "L3H2")(x))
    np.testing.assert_array_equal(numpy(tleg(again.encoder, "L3H2")(x)), expected)


def test_sixteen_bits(rng):
    encoder = linear_vit(blank(dtype="mixed_bfloat16"))
    exact = linear_vit(blank())
    exact.set_weights(encoder.get_weights())
    x = images(rng, 2, SHAPE)
    expected = numpy(exact(x))
    error = numpy(keras.ops.cast(encoder(x), "float32")) - expected
    assert np.abs(error).max() < 0.1 * np.abs(expected).max()
    assert {variable.dtype for variable in encoder.trainable_variables} == {"float32"}
