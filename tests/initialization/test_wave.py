"""WAVE against its formula: sums of np.kron, of other sizes."""

import keras
import numpy as np
import pytest
from keras_checks import images, numpy, randomize, smooth_images

import sweet_keras as sk
from sweet_keras.initialization.wave import kronecker_vit, wave

# On every backend `runs/test_compare.py` makes a network by each method.
pytestmark = pytest.mark.once

SHAPE = (8, 12, 2)
TYPES = {  # kernel type: blocks along the input and the output axis, of a network of one block
    "query": (1, 1),
    "key": (1, 1),
    "value": (1, 1),
    "output": (1, 1),
    "mlp_in": (1, 4),
    "mlp_out": (4, 1),
}


def autoencoder(size="L3H4", side=8, rng=None, **options):
    blank = sk.ViTBackbone(size, image_shape=SHAPE, patch_size=4, head_dim=4, **options)
    mae = sk.MaskedAutoencoder(
        kronecker_vit(blank, side=side), mask_ratio=2 / 3, decoder="L1H2", seed=0
    )
    mae.build()
    if rng is not None:
        randomize(mae, rng)
    return mae


def by_type(arrays):
    """Kernels (L, in, out) of each type."""
    query, key, value = np.split(arrays["qkv/kernel"], 3, axis=2)
    others = {kind: arrays[f"{kind}/kernel"] for kind in ("output", "mlp_in", "mlp_out")}
    return {"query": query, "key": key, "value": value, **others}


def factors(mae):
    expansion = mae.encoder.expansion
    for kind in TYPES:
        templates = numpy(expansion.template_variables[kind]).astype("float64") / 3
        scalers = numpy(expansion.scaler_variables[kind]).astype("float64")
        yield kind, templates, scalers / np.sqrt(len(templates))


def test_narrower_and_shallower_by_a_prefix_of_the_grid(rng):
    mae = autoencoder(rng=rng, class_token=True, layer_scale=0.5)
    made = wave(mae, "L2H2")
    kernels = by_type(made.arrays())
    for kind, templates, scalers in factors(mae):
        # The source's grid is 2 wide, the target's 1; a hidden axis has four quarters.
        rows, columns = TYPES[kind]
        for i, layer in enumerate((0, 2)):
            kept = scalers[layer][: 2 * rows : 2, : 2 * columns : 2]
            kernel = sum(np.kron(kept[:, :, t], templates[t]) for t in range(len(templates)))
            np.testing.assert_allclose(kernels[kind][i], kernel, atol=1e-5, err_msg=kind)
    old, new = mae.encoder.backbone.arrays(), made.arrays()
    np.testing.assert_array_equal(new["mlp_in/bias"], old["mlp_in/bias"][[0, 2], :, :8])
    np.testing.assert_array_equal(new["patch/kernel"], old["patch/kernel"][:, :8])
    np.testing.assert_array_equal(new["class_token"], old["class_token"][:8])
    np.testing.assert_array_equal(new["layer_scale1"], old["layer_scale1"][[0, 2], :8])


def test_twice_as_wide_keeps_the_function(rng):
    """Of a network whose grid is repeated; its tokens are repeated with it."""
    mae = autoencoder("L3H2", side=4, rng=rng)
    x = images(rng, 2, SHAPE)
    narrow, wide = numpy(wave(mae, "L3H2")(x)), numpy(wave(mae, "L3H4")(x))
    np.testing.assert_allclose(wide, np.concatenate([narrow, narrow], axis=2), atol=1e-4)


def test_the_same_size_computes_the_same(rng):
    mae = autoencoder(rng=rng)
    x = images(rng, 3, SHAPE)
    np.testing.assert_allclose(numpy(wave(mae, "L3H4")(x)), numpy(mae.encoder(x)), atol=1e-5)


def test_the_fit_leaves_the_templates(rng):
    """After a fit every kernel is still a sum of Kronecker products with the same templates."""
    mae = autoencoder(rng=rng)
    x = images(rng, 16, SHAPE)
    before = mae.get_weights()
    sliced = wave(mae, "L2H2").arrays()
    fitted = wave(mae, "L2H2", adapt=x, steps=3, batch_size=8, learning_rate=1e-2, seed=0).arrays()
    for name in set(fitted) - {"positions"}:
        assert (fitted[name] != sliced[name]).any(), name
    for kind, templates, _ in factors(mae):
        rows, columns = TYPES[kind]
        blocks = by_type(fitted)[kind].reshape(2, rows, 8, columns, 8).swapaxes(2, 3)
        blocks = blocks.reshape(-1, 64).T.astype("float64")
        basis = templates.reshape(len(templates), 64).T
        weights = np.linalg.lstsq(basis, blocks, rcond=None)[0]
        np.testing.assert_allclose(basis @ weights, blocks, atol=1e-5)
        assert np.linalg.matrix_rank(basis) < 64  # else the test would say nothing
    for old, new in zip(before, mae.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_the_fit_lowers_the_loss(rng):
    x = smooth_images(rng)
    mae = autoencoder()
    mae.compile(keras.optimizers.Adam(3e-3))
    mae.fit(x, batch_size=16, epochs=4, verbose=0)
    noise = rng.random((64, 6)).astype("float32")

    def loss(encoder):
        from sweet_keras.initialization.brief_fit import autoencoder_like

        other = autoencoder_like(mae, encoder)
        return float(numpy(other.compute_loss(None, None, other(x, noise=noise))))

    fitted = wave(mae, "L2H2", adapt=x, steps=40, batch_size=32, learning_rate=5e-3, seed=0)
    assert loss(fitted) < loss(wave(mae, "L2H2"))


def test_training_obeys_the_formula(rng):
    mae = autoencoder()
    start = mae.encoder.arrays()
    mae.compile(keras.optimizers.Adam(1e-2))
    mae.fit(images(rng, 16, SHAPE), batch_size=8, epochs=2, verbose=0)
    kernels = by_type(mae.encoder.materialize().arrays())
    for kind, templates, scalers in factors(mae):
        for layer in range(3):
            expected = sum(
                np.kron(scalers[layer, :, :, t], templates[t]) for t in range(len(templates))
            )
            np.testing.assert_allclose(kernels[kind][layer], expected, atol=1e-5)
        assert (kernels[kind] != by_type(start)[kind]).any()


def test_errors(rng):
    mae = autoencoder()
    with pytest.raises(ValueError, match=r"a multiple of 8, the side of a template\. .*L2H3"):
        wave(mae, "L2H3")
    blank = sk.ViTBackbone("L1H1", image_shape=SHAPE, patch_size=4, head_dim=4)
    with pytest.raises(ValueError, match=r"what `kronecker_vit` makes\. Received: ViTBackbone"):
        wave(sk.MaskedAutoencoder(blank, mask_ratio=2 / 3), "L1H1")
    with pytest.raises(ValueError, match="`steps` must be given with a data set"):
        wave(mae, "L2H2", adapt=iter([]))


def test_a_saved_autoencoder_is_as_good(rng, tmp_path):
    mae = autoencoder(rng=rng)
    mae.save(tmp_path / "mae.keras")
    again = keras.saving.load_model(tmp_path / "mae.keras")
    x = images(rng, 2, SHAPE)
    np.testing.assert_array_equal(numpy(wave(again, "L2H2")(x)), numpy(wave(mae, "L2H2")(x)))


def test_sixteen_bits(rng):
    half = autoencoder(dtype="mixed_bfloat16").encoder
    exact = autoencoder().encoder
    exact.set_weights(half.get_weights())
    x = images(rng, 2, SHAPE)
    expected = numpy(exact(x))
    error = numpy(keras.ops.cast(half(x), "float32")) - expected
    assert np.abs(error).max() < 0.1 * np.abs(expected).max()
