"""Both kinds of vision transformer with windows."""

import json
import zipfile

import keras
import numpy as np
import pytest
import reference_vit as reference
from keras_checks import (
    check_config_round_trip,
    check_mixed_precision,
    check_saving,
    check_training_step,
    images,
    numpy,
    randomize,
)

import sweet_keras as sk

SHAPE = (12, 20, 2)  # a grid of (3, 5) tokens
OPTIONS = {"image_shape": SHAPE, "patch_size": 4, "head_dim": 4}
WINDOWS = {"window": 2, "global_blocks": 1}
KINDS = ("backbone", "template")


def backbone(rng=None, size="L3H2", **options):
    model = sk.ViTBackbone(size, **{**OPTIONS, **WINDOWS, **options})
    if rng is not None:
        randomize(model, rng)
    return model


def template_vit(rng=None, size="L3H2", **options):
    layer = sk.SweetTemplateViT(size, **{"ranks": (9, 7, 8), **OPTIONS, **WINDOWS, **options})
    layer.build()
    layer.built = True
    if rng is not None:
        randomize(layer, rng)
        randomize(layer.kernels, rng, spread=0.7)  # a product of smaller ones attends to nothing
    return layer


def make(kind, *args, **options):
    return {"backbone": backbone, "template": template_vit}[kind](*args, **options)


def model_of(network):
    """Something that can be fitted and saved."""
    if isinstance(network, keras.Model):
        return network
    inputs = keras.Input(network.image_shape)
    return keras.Model(inputs, network(inputs))


def materialized(layer, size=None):
    """A `ViTBackbone` with the windows of a `SweetTemplateViT`."""
    plain = sk.materialize(layer.template(), size)
    windowed = sk.ViTBackbone.from_config({**plain.get_config(), **WINDOWS})
    windowed.load_arrays(plain.arrays())
    return windowed


def windowed_reference(x, arrays, grid, window, everywhere, heads, patch_size):
    """Plain numpy: in a windowed layer, the tokens of each window go through the block alone."""
    arrays = {name: np.asarray(array, "float64") for name, array in arrays.items()}
    rows, columns = np.divmod(np.arange(grid[0] * grid[1]), grid[1])
    place = rows // window * 1000 + columns // window
    outputs = []
    for image in np.asarray(x, "float64"):
        pixels = (image - 127.5) / 127.5
        tokens = reference.patches_of(pixels, patch_size) @ arrays["patch/kernel"]
        tokens = tokens + arrays["patch/bias"] + arrays["positions"]
        for layer in range(len(arrays["qkv/kernel"])):
            where = np.zeros_like(place) if layer in everywhere else place
            for one in np.unique(where):
                inside = where == one
                tokens[inside] = reference.block(tokens[inside], arrays, layer, heads)
        scale, bias = arrays["final_norm/scale"], arrays["final_norm/bias"]
        outputs.append(reference.layer_norm(tokens, scale, bias))
    return np.array(outputs)


@pytest.mark.parametrize(
    ("shape", "window", "global_blocks", "everywhere"),
    [
        ((12, 20, 2), 2, 1, {2}),
        ((8, 16, 2), 2, 2, {0, 2}),
        ((20, 12, 2), 4, 0, set()),
        ((12, 20, 2), 2, 4, {0, 1, 2}),
    ],
)
def test_backbone_equals_numpy(rng, shape, window, global_blocks, everywhere):
    model = backbone(rng, image_shape=shape, window=window, global_blocks=global_blocks)
    x = images(rng, 2, shape)
    grid = (shape[0] // 4, shape[1] // 4)
    expected = windowed_reference(x, model.arrays(), grid, window, everywhere, 2, 4)
    np.testing.assert_allclose(numpy(model(x)), expected, atol=2e-5)
    encoded = model.encode(model.patches.patchify(x))
    np.testing.assert_allclose(numpy(encoded), expected, atol=2e-5)


@pytest.mark.parametrize("factored", [False, True])
def test_materialized_network_is_the_template_network(rng, factored):
    options = {"ranks": (6, 2, 2), "tokens": 100_000} if factored else {}
    layer = template_vit(rng, **options)
    assert layer.kernels.plan(layer.size).materialize != factored
    x = images(rng, 2, SHAPE)
    expected = numpy(materialized(layer)(x))
    np.testing.assert_allclose(numpy(layer(x)), expected, atol=1e-5, rtol=1e-5)
    everywhere = numpy(sk.materialize(layer.template())(x))
    assert np.abs(expected - everywhere).max() > 0.01


def test_narrowed_network_is_the_sliced_one(rng):
    layer = template_vit(rng, size="L2H3")
    x = images(rng, 2, SHAPE)
    for heads in (1, 2):
        narrow = numpy(materialized(layer, f"L2H{heads}")(x))
        cut = numpy(layer(x, heads=heads))
        masked = numpy(layer(x, heads=keras.ops.convert_to_tensor(heads)))
        for outputs in (cut, masked):
            np.testing.assert_allclose(outputs[..., : 4 * heads], narrow, atol=1e-5, rtol=1e-5)
            np.testing.assert_array_equal(outputs[..., 4 * heads :], 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_window_over_the_whole_grid_changes_nothing(rng, kind):
    covered = make(kind, rng, window=5)
    plain = make(kind, window=None)
    for variable, value in zip(plain.variables, covered.variables, strict=True):
        variable.assign(value)
    x = images(rng, 2, SHAPE)
    np.testing.assert_array_equal(numpy(covered(x)), numpy(plain(x)))


@pytest.mark.parametrize("kind", KINDS)
def test_windows_add_no_weights(kind):
    windowed, plain = make(kind), make(kind, window=None)
    assert [(v.name, v.shape) for v in windowed.weights] == [
        (v.name, v.shape) for v in plain.weights
    ]


def test_template_and_twin(rng):
    layer = template_vit(rng)
    again = sk.SweetTemplateViT(layer.template(), **WINDOWS)
    assert (again.window, again.subnetwork_rate) == (2, 0)
    x = images(rng, 2, SHAPE)
    np.testing.assert_allclose(numpy(again(x)), numpy(layer(x)), atol=1e-5, rtol=1e-5)
    twin = backbone(rng).twin("L4H1")
    assert [block.window for block in twin.blocks] == [2, 2, 2, None]


@pytest.mark.parametrize("kind", KINDS)
def test_network_check(rng, tmp_path, kind):
    check_config_round_trip(make(kind, name="vit", drop_path=0.1))
    network = make(kind, rng)
    model = model_of(network)
    assert model.output_shape == (None, 15, 8)
    x = images(rng, 4, SHAPE)
    loaded = check_saving(model, x, tmp_path)
    assert any(getattr(layer, "window", None) == 2 for layer in [loaded, *loaded.layers])
    check_training_step(model, x, rng.standard_normal((4, 15, 8)).astype("float32"))
    check_mixed_precision(lambda policy: make(kind, np.random.default_rng(0), dtype=policy), x)


@pytest.mark.parametrize(("kind", "shape"), [("backbone", SHAPE), ("template", (8, 16, 2))])
def test_compiled_steps(rng, kind, shape):
    if keras.backend.backend() == "torch":
        pytest.skip("a minute of compilation; eager steps are those of the network check")
    network = make(kind, rng, size="L2H2", image_shape=shape)
    model = model_of(network)
    x = images(rng, 5, shape)
    model.compile(keras.optimizers.Adam(1e-2), "mse", jit_compile=True)
    eager = numpy(network(x))
    # Batches of 3 and of 2: their size is not known to the compiler of TensorFlow.
    np.testing.assert_allclose(model.predict(x, batch_size=3, verbose=0), eager, atol=1e-5)
    y = rng.standard_normal(eager.shape).astype("float32")
    losses = model.fit(x, y, batch_size=5, epochs=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("kind", KINDS)
def test_files_from_before_windows_load(rng, tmp_path, kind):
    network = make(kind, rng, window=None)
    model = model_of(network)
    model.save(tmp_path / "new.keras")

    def without_windows(config):
        if isinstance(config, dict):
            return {
                name: without_windows(value)
                for name, value in config.items()
                if name not in ("window", "global_blocks", "grid")
            }
        return list(map(without_windows, config)) if isinstance(config, list) else config

    with (
        zipfile.ZipFile(tmp_path / "new.keras") as new,
        zipfile.ZipFile(tmp_path / "old.keras", "w") as old,
    ):
        for name in new.namelist():
            content = new.read(name)
            if name == "config.json":
                assert b'"window"' in content
                content = json.dumps(without_windows(json.loads(content))).encode()
            old.writestr(name, content)
    x = images(rng, 2, SHAPE)
    loaded = keras.saving.load_model(tmp_path / "old.keras")
    np.testing.assert_array_equal(numpy(loaded(x)), numpy(network(x)))


def test_picked_patches_have_no_windows(rng):
    patches, order = np.zeros((1, 3, 32), "float32"), np.array([[0, 4, 7]])
    for kind in KINDS:
        with pytest.raises(ValueError, match=r"`order` must be None.*Received: window=2"):
            make(kind).encode(patches, order)
        assert numpy(make(kind, window=None).encode(patches, order)).shape == (1, 3, 8)
    mae = sk.MaskedAutoencoder(template_vit(), mask_ratio=0.5)
    with pytest.raises(ValueError, match="`order` must be None"):
        mae(images(rng, 2, SHAPE))


@pytest.mark.parametrize("kind", KINDS)
def test_bad_arguments(kind):
    with pytest.raises(ValueError, match=r"`window` must be None with a class token"):
        make(kind, class_token=True)
    with pytest.raises(ValueError, match=r"class token or registers.*Received: window=2 and 3 "):
        make(kind, register_tokens=3)
    with pytest.raises(ValueError, match=r"`window` must be a positive integer"):
        make(kind, window=0)
    with pytest.raises(ValueError, match=r"`global_blocks` must be an integer, 0 or more"):
        make(kind, global_blocks=-1)
    with pytest.raises(ValueError, match=r"`window` must be None where sub-networks are drawn"):
        template_vit(subnetwork_rate=0.5)
