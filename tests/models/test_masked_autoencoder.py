import keras
import numpy as np
import pytest
from keras_checks import (
    check_config_round_trip,
    check_training_step,
    images,
    numpy,
    randomize,
    skip_untrainable,
)
from reference_vit import block, layer_norm, patches_of

import sweet_keras as sk

SHAPE = (8, 12, 2)
PATCHES, VISIBLE = 6, 2


def make(rng=None, class_token=False, policy=None, **options):
    encoder = sk.SweetTemplateViT(
        "L2H3",
        image_shape=SHAPE,
        patch_size=4,
        head_dim=4,
        ranks=(9, 11, 12),
        class_token=class_token,
        register_tokens=options.pop("register_tokens", 0),
        subnetworks=options.pop("subnetworks", ("L1H2",)),
        subnetwork_rate=options.pop("subnetwork_rate", 0.5),
        seed=0,
        dtype=policy,
    )
    mae = sk.MaskedAutoencoder(encoder, mask_ratio=2 / 3, decoder="L1H2", **options)
    mae.build()
    if rng is not None:
        randomize(mae, rng)
    return mae


def noise(rng, count):
    return rng.random((count, PATCHES)).astype("float32")


def reference_prediction(mae, image, order):
    """The masked autoencoder of one image in plain numpy."""
    plain = {n: a.astype("float64") for n, a in sk.materialize(mae.template()).arrays().items()}
    own = {
        name.removeprefix("decoder/"): array.astype("float64")
        for name, array in mae.template().arrays.items()
        if name.startswith("decoder/")
    }
    pixels = patches_of((image - 127.5) / 127.5, 4)
    x = pixels @ plain["patch/kernel"] + plain["patch/bias"] + plain["positions"]
    x = x[order[:VISIBLE]]
    first = 0
    if "class_token" in plain:
        x = np.concatenate([plain["class_token"][None], plain["register_tokens"], x])
        first = 1 + len(plain["register_tokens"])
    for layer in range(2):
        x = block(x, plain, layer, 3)
    x = layer_norm(x, plain["final_norm/scale"], plain["final_norm/bias"])
    x = x @ own["embed/kernel"] + own["embed/bias"]
    y = np.tile(own["mask_token"], (first + PATCHES, 1))
    y[: first + VISIBLE] = x
    y[first:] += own["positions"][order]
    y = block(y, own, 0, 2)
    y = layer_norm(y, own["final_norm/scale"], own["final_norm/bias"])
    y = y @ own["pixels/kernel"] + own["pixels/bias"]
    hidden = pixels[order[VISIBLE:]]
    deviation = np.sqrt(hidden.var(1, keepdims=True) + 1e-2)
    return y[first + VISIBLE :], (hidden - hidden.mean(1, keepdims=True)) / deviation


@pytest.mark.parametrize("class_token", [False, True])
def test_equals_numpy(rng, class_token):
    mae = make(rng, class_token, register_tokens=2 * class_token)
    x, z = images(rng, 3, SHAPE), noise(rng, 3)
    outputs = mae(x, noise=z)
    order = np.argsort(z, axis=1)
    np.testing.assert_array_equal(numpy(outputs["order"]), order)
    errors = []
    for i in range(3):
        prediction, target = reference_prediction(mae, x[i], order[i])
        np.testing.assert_allclose(numpy(outputs["prediction"])[i], prediction, atol=1e-4)
        np.testing.assert_allclose(numpy(outputs["target"])[i], target, atol=1e-4)
        errors.append((prediction - target) ** 2)
    loss = numpy(mae.compute_loss(x, None, outputs))
    np.testing.assert_allclose(loss, np.mean(errors), rtol=1e-5)


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_masked_width_equals_the_sliced_autoencoder(rng, heads):
    mae = make(rng)
    x, z = images(rng, 3, SHAPE), noise(rng, 3)
    narrow = sk.MaskedAutoencoder.from_template(
        mae.template().resize(f"L2H{heads}"), mask_ratio=2 / 3
    )
    expected = numpy(narrow(x, noise=z)["prediction"])
    masked = mae(x, noise=z, heads=keras.ops.convert_to_tensor(heads))
    np.testing.assert_allclose(numpy(masked["prediction"]), expected, atol=1e-5)
    cut = mae(x, noise=z, heads=heads)
    np.testing.assert_allclose(numpy(cut["prediction"]), expected, atol=1e-5)


@pytest.mark.parametrize("size", ["L1H3", "L2H1"])
def test_a_training_step_trains_the_network_that_is_cut_out(rng, size):
    mae = make(rng, subnetworks=(size,), subnetwork_rate=1.0)
    x, z = images(rng, 3, SHAPE), noise(rng, 3)
    narrow = sk.MaskedAutoencoder.from_template(mae.template().resize(size), mask_ratio=2 / 3)
    np.testing.assert_allclose(
        numpy(mae(x, noise=z, training=True)["prediction"])[1:],
        numpy(narrow(x, noise=z)["prediction"])[1:],
        atol=1e-5,
    )


def test_reconstruction_keeps_what_was_visible(rng):
    mae = make(rng)
    x, z = images(rng, 3, SHAPE), noise(rng, 3)
    shown = mae.reconstruct(x, noise=z)
    prediction = numpy(mae(x, noise=z)["prediction"])
    for i in range(3):
        order = np.argsort(z[i])
        original = patches_of(x[i].astype("float64"), 4)
        masked = patches_of(shown["masked"][i], 4)
        rebuilt = patches_of(shown["reconstructed"][i], 4)
        np.testing.assert_allclose(masked[order[:VISIBLE]], original[order[:VISIBLE]], atol=1e-3)
        np.testing.assert_allclose(rebuilt[order[:VISIBLE]], original[order[:VISIBLE]], atol=1e-3)
        np.testing.assert_allclose(masked[order[VISIBLE:]], 127.5)
        hidden = original[order[VISIBLE:]]
        deviation = np.sqrt(hidden.var(1, keepdims=True) + 1e-2 * 127.5**2)
        expected = prediction[i] * deviation + hidden.mean(1, keepdims=True)
        np.testing.assert_allclose(rebuilt[order[VISIBLE:]], expected, atol=0.05)


def test_template_round_trip_keeps_the_decoder(rng, tmp_path):
    mae = make(rng, class_token=True)
    mae.template({"epochs": 3}).save(tmp_path / "a.sweet")
    template = sk.SweetTemplate.load(tmp_path / "a.sweet")
    assert template.record == {"epochs": 3}
    again = sk.MaskedAutoencoder.from_template(template, mask_ratio=2 / 3)
    x, z = images(rng, 3, SHAPE), noise(rng, 3)
    np.testing.assert_allclose(
        numpy(again(x, noise=z)["prediction"]), numpy(mae(x, noise=z)["prediction"]), atol=1e-5
    )


def test_fit_learns():
    grey = np.random.default_rng(0).integers(0, 256, (64, 1, 1, 2))
    ramp = np.linspace(0, 1, 12)[None, None, :, None]
    x = (grey * np.broadcast_to(ramp, (64, *SHAPE))).astype("uint8")
    mae = make()
    mae.compile(keras.optimizers.Adam(3e-3))
    losses = mae.fit(x, batch_size=32, epochs=15, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    assert mae.evaluate(x, verbose=0) < 0.6 * losses[0]


def test_noise_is_drawn_anew(rng):
    mae = make(seed=1)
    x = images(rng, 8, SHAPE)
    first, second = (numpy(mae(x)["order"]) for _ in range(2))
    assert (first != second).any()
    assert (np.sort(first, axis=1) == np.arange(PATCHES)).all()
    np.testing.assert_array_equal(numpy(make(seed=1)(x)["order"]), first)


def test_model_check(rng, tmp_path):
    check_config_round_trip(make(seed=4, name="mae"))
    x, z = images(rng, 8, SHAPE), noise(rng, 8)
    mae = make(rng)
    path = tmp_path / "mae.keras"
    mae.save(path)
    loaded = keras.saving.load_model(path)
    np.testing.assert_array_equal(
        numpy(loaded(x, noise=z)["prediction"]), numpy(mae(x, noise=z)["prediction"])
    )
    check_training_step(make(rng, subnetwork_rate=0.0), x)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(policy):
    x, z = images(np.random.default_rng(1), 8, SHAPE), noise(np.random.default_rng(2), 8)
    exact = numpy(make(np.random.default_rng(0))(x, noise=z)["prediction"])
    mae = make(np.random.default_rng(0), policy=policy)
    outputs = mae(x, noise=z)
    assert keras.backend.standardize_dtype(outputs["prediction"].dtype) == "float32"
    error = np.abs(numpy(outputs["prediction"]) - exact).max()
    assert 0 < error < 0.1 * np.abs(exact).max()
    skip_untrainable(policy)
    check_training_step(make(policy=policy, subnetwork_rate=0.0), x)


@pytest.mark.parametrize("ratio", [0.0, 0.05, 0.95, 1.0])
def test_bad_mask_ratio(ratio):
    with pytest.raises(ValueError, match=rf"`mask_ratio` must leave .* of 6. Received: {ratio}"):
        sk.MaskedAutoencoder(make().encoder, mask_ratio=ratio)


def test_a_plain_network_is_trained_the_same_way(rng):
    """With the template's kernels a plain encoder gives the template's reconstruction."""
    encoder = sk.SweetTemplateViT("L2H2", image_shape=(8, 8, 1), patch_size=4, head_dim=4)
    nested = sk.MaskedAutoencoder(encoder, mask_ratio=0.5, seed=0)
    nested.build()
    randomize(nested, rng)
    plain = sk.MaskedAutoencoder(sk.materialize(nested.template()), mask_ratio=0.5, seed=0)
    plain.build()
    plain.decoder_layer.load_arrays(nested.template().arrays)
    x, noise = images(rng, 3, (8, 8, 1)), rng.uniform(size=(3, 4)).astype("float32")
    ours, theirs = (numpy(m(x, noise=noise)["prediction"]) for m in (plain, nested))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    plain.compile(optimizer="adamw")
    plain.fit(x, epochs=1, verbose=0)
    with pytest.raises(ValueError, match="needs a SweetTemplateViT as `encoder`"):
        plain.template()
    with pytest.raises(ValueError, match="`heads` must be None"):
        plain(x, heads=1)
