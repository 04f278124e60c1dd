"""FINE against its formula, W = U diag(S) V^T with S of the target and U, V of the source."""

import keras
import numpy as np
import pytest
from keras_checks import check_config_round_trip, images, numpy, randomize, smooth_images

import sweet_keras as sk
from sweet_keras.initialization.brief_fit import autoencoder_like
from sweet_keras.initialization.fine import fine, fine_start, fine_vit
from sweet_keras.layers.singular_template import SingularTemplate

SHAPE = (8, 12, 2)
TYPES = ("query", "key", "value", "output", "mlp_in", "mlp_out")


def source(rng, size="L3H4", **options):
    vit = sk.ViTBackbone(size, image_shape=SHAPE, patch_size=4, head_dim=4, **options)
    randomize(vit, rng)
    return vit


def autoencoder(rng, **options):
    mae = sk.MaskedAutoencoder(fine_vit(source(rng), **options), mask_ratio=2 / 3, decoder="L1H2")
    mae.build()
    return mae


def by_type(arrays):
    """Kernels (L, in, out) of each type."""
    query, key, value = np.split(arrays["qkv/kernel"], 3, axis=2)
    others = {kind: arrays[f"{kind}/kernel"] for kind in ("output", "mlp_in", "mlp_out")}
    return {"query": query, "key": key, "value": value, **others}


def factors(network):
    expansion = network.expansion
    for kind in TYPES:
        found = (expansion.input_bases, expansion.scalers, expansion.output_bases)
        yield kind, *(numpy(variables[kind]).astype("float64") for variables in found)


def check_formula(network):
    kernels = by_type(network.materialize().arrays())
    for kind, first, diagonals, last in factors(network):
        for layer, row in enumerate(diagonals):
            expected = first @ np.diag(row) @ last.T
            np.testing.assert_allclose(kernels[kind][layer], expected, atol=1e-5, err_msg=kind)


def test_source_is_fitted(rng):
    """One layer is met exactly; of several the bases hold what they can."""
    one = source(rng, "L1H4", class_token=True)
    x = images(rng, 2, SHAPE)
    np.testing.assert_allclose(numpy(fine_vit(one)(x)), numpy(one(x)), atol=1e-3)
    vit = source(rng)
    network = fine_vit(vit)
    check_formula(network)
    old, new = by_type(vit.arrays()), by_type(network.arrays())
    for kind, first, diagonals, last in factors(network):
        error = ((new[kind] - old[kind]) ** 2).sum()
        assert error < 0.9 * (old[kind] ** 2).sum()
        for layer, row in enumerate(diagonals):  # the best S for these bases
            best = np.diag(first.T @ old[kind][layer] @ last)
            np.testing.assert_allclose(row, best, atol=1e-4)
    np.testing.assert_array_equal(network.arrays()["norm1/scale"], vit.arrays()["norm1/scale"])


def test_other_depth_and_width(rng):
    network = fine_vit(source(rng, class_token=True))
    small = fine_start(network, "L2H2")
    check_formula(small)
    for old, new in zip(factors(network), factors(small), strict=True):
        kind, first, diagonals, last = old
        parts = {"mlp_in": (1, 4), "mlp_out": (4, 1)}.get(kind, (1, 1))
        for basis, cut, count in ((first, new[1], parts[0]), (last, new[3], parts[1])):
            expected = np.concatenate([part[:8] for part in np.split(basis, count)])
            np.testing.assert_allclose(cut, expected, atol=1e-6)
        np.testing.assert_allclose(new[2], diagonals[[0, 2]], atol=1e-6)  # first and last layer
    deep = fine_start(network, "L5H4")
    for (_, _, diagonals, _), (_, _, between, _) in zip(
        factors(network), factors(deep), strict=True
    ):
        np.testing.assert_allclose(between[1], (diagonals[0] + diagonals[1]) / 2, atol=1e-6)
        np.testing.assert_allclose(between[::2], diagonals, atol=1e-6)
    rest = small.arrays(), network.arrays()
    np.testing.assert_array_equal(rest[0]["mlp_in/bias"], rest[1]["mlp_in/bias"][[0, 2], :, :8])
    np.testing.assert_array_equal(rest[0]["class_token"], rest[1]["class_token"][:8])


def test_twice_as_wide_keeps_the_function(rng):
    network = fine_vit(source(rng, "L3H2"))
    x = images(rng, 2, SHAPE)
    narrow, wide = numpy(network(x)), numpy(fine_start(network, "L3H4")(x))
    np.testing.assert_allclose(wide, np.concatenate([narrow, narrow], axis=2), atol=1e-3)


def test_the_fit_leaves_the_bases_and_lowers_the_loss(rng):
    x, noise = smooth_images(rng), rng.random((64, 6)).astype("float32")
    blank = sk.ViTBackbone("L3H4", image_shape=SHAPE, patch_size=4, head_dim=4)
    mae = sk.MaskedAutoencoder(fine_vit(blank), mask_ratio=2 / 3, decoder="L1H2", seed=0)
    mae.compile(keras.optimizers.Adam(3e-3))
    mae.fit(x, batch_size=16, epochs=4, verbose=0)
    before = mae.get_weights()

    def loss(encoder):
        other = autoencoder_like(mae, encoder)
        return float(numpy(other.compute_loss(None, None, other(x, noise=noise))))

    start = fine(mae, "L2H2")
    fitted = fine(mae, "L2H2", adapt=x, steps=40, batch_size=32, learning_rate=5e-3, seed=0)
    assert loss(fitted) < loss(start)
    kernels = by_type(fitted.arrays())
    for kind, first, _, last in factors(fine_start(mae.encoder, "L2H2")):
        # A kernel is S in the span of the r products of a column of U and one of V.
        products = np.einsum("nr,mr->nmr", first, last).reshape(-1, first.shape[1])
        target = kernels[kind].reshape(2, -1).T
        weights = np.linalg.lstsq(products, target, rcond=None)[0]
        np.testing.assert_allclose(products @ weights, target, atol=1e-4, err_msg=kind)
        assert products.shape[0] > products.shape[1]  # else the test would say nothing
    for old, new in zip(before, mae.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_s_is_fitted_by_generating(rng):
    """The same start, adapted by the loss of a generator, and written out."""
    generator = sk.ImageGenerator(fine_start(fine_vit(source(rng)), "L2H2"), 3)
    expansion = generator.backbone.expansion
    generator.build()
    randomize(generator.conditioning, rng)
    before = {kind: (first, diagonals) for kind, first, diagonals, _ in factors(generator.backbone)}
    generator.compile(keras.optimizers.Adam(1e-2))
    for _ in range(2):  # in the first step the last map is zero, and nothing behind it moves
        generator.fit(images(rng, 8, SHAPE), np.arange(8) % 3, verbose=0)
    for kind in TYPES:
        np.testing.assert_allclose(numpy(expansion.input_bases[kind]), before[kind][0], atol=1e-7)
        assert np.abs(numpy(expansion.scalers[kind]) - before[kind][1]).max() > 1e-4
    plain = sk.materialize_generator(generator)
    settings = {"steps": 2, "seed": 0, "dtype": "float32"}
    np.testing.assert_allclose(
        plain.generate([0, 2], **settings), generator.generate([0, 2], **settings), atol=0.05
    )


def test_template_starts_with_the_variance_of_xavier():
    layer = SingularTemplate(4, 6, 8, rank=40)
    layer.build()
    check_config_round_trip(layer)
    for kind, (rows, columns) in {"query": (48, 48), "mlp_in": (48, 192)}.items():
        kernel = numpy(layer.kernel(kind))
        assert kernel.shape == (4, rows, columns)
        assert kernel.var() == pytest.approx(2 / (rows + columns), rel=0.3)


def test_saved_network_is_as_good(rng, tmp_path):
    mae = autoencoder(rng, rank=7)
    mae.save(tmp_path / "mae.keras")
    again = keras.saving.load_model(tmp_path / "mae.keras")
    x = images(rng, 2, SHAPE)
    np.testing.assert_array_equal(numpy(fine(again, "L2H2")(x)), numpy(fine(mae, "L2H2")(x)))


def test_errors(rng):
    with pytest.raises(ValueError, match=r"what `fine_vit` makes\. Received: ViTBackbone"):
        fine_start(source(rng), "L1H1")
    with pytest.raises(ValueError, match=r"`rank` must be an integer from 1 to 16. Received: 17"):
        fine_vit(source(rng), rank=17)
    with pytest.raises(ValueError, match=r"`rank` must be a positive integer. Received: 0"):
        SingularTemplate(1, 1, 4, rank=0)
