import keras
import numpy as np
import pytest
import reference_dit
from keras_checks import check_config_round_trip, check_training_step, images, numpy, randomize
from reference_vit import patches_of

import sweet_keras as sk

SHAPE, SIDE, CLASSES = (8, 12, 2), 4, 3
PATCHES, PIXELS = 6, SIDE * SIDE * 2
CONDITION = (
    "time_in_kernel time_in_bias time_out_kernel time_out_bias label_table block_modulation "
    "gate_bias final_modulation"
).split()


def plain_vit(**options):
    return sk.ViTBackbone("L2H3", image_shape=SHAPE, patch_size=SIDE, head_dim=4, **options)


def template_vit(**options):
    options = {"ranks": (9, 11, 12), "subnetworks": ("L1H2",), "subnetwork_rate": 0.0, **options}
    return sk.SweetTemplateViT("L2H3", image_shape=SHAPE, patch_size=SIDE, head_dim=4, **options)


def make(rng=None, backbone=None, spread=0.15, **options):
    generator = sk.ImageGenerator(backbone or plain_vit(), CLASSES, **options)
    generator.build()
    if rng is not None:
        randomize(generator, rng, spread)
    return generator


def arrays_of(generator):
    """All weights by name, the kernels of a template written out."""
    backbone = generator.backbone
    if isinstance(backbone, sk.SweetTemplateViT):
        backbone = sk.materialize(backbone.template())
    return {
        **backbone.arrays(),
        **{name: numpy(getattr(generator.conditioning, name)) for name in CONDITION},
        "pixels_kernel": numpy(generator.pixels.kernel),
        "pixels_bias": numpy(generator.pixels.bias),
    }


def draws(rng, count):
    """Noise, times and hidden labels for so many images."""
    noise = rng.standard_normal((count, *SHAPE)).astype("float32")
    return noise, rng.random(count).astype("float32"), np.arange(count) % 2 == 1


@pytest.mark.parametrize("objective", ["flow", "ddpm"])
@pytest.mark.parametrize(
    "backbone", [plain_vit, template_vit, lambda: plain_vit(class_token=True, layer_scale=0.5)]
)
def test_loss_equals_numpy(rng, backbone, objective):
    generator = make(rng, backbone(), objective=objective)
    x, labels = images(rng, 4, SHAPE), np.array([0, 1, 2, 0])
    noise, time, hidden = draws(rng, 4)
    outputs = generator(x, noise=noise, time=time, hidden=hidden)
    loss = numpy(generator.compute_loss(x, labels, outputs, training=False))
    arrays, errors = arrays_of(generator), []
    for i in range(4):
        clean, z = patches_of((x[i] - 127.5) / 127.5, SIDE), patches_of(noise[i], SIDE)
        angle = 0.992 * np.pi / 2 * time[i]
        a, s = (1 - time[i], time[i]) if objective == "flow" else (np.cos(angle), np.sin(angle))
        label = CLASSES if hidden[i] else labels[i]
        predicted = reference_dit.denoise(arrays, a * clean + s * z, time[i], label, heads=3)
        errors.append((predicted - (z - clean if objective == "flow" else z)) ** 2)
    np.testing.assert_allclose(loss, np.mean(errors), rtol=1e-5)


@pytest.mark.parametrize("sampler", ["euler", "heun", "ddim"])
@pytest.mark.parametrize("guidance", [1.0, 2.5])
def test_images_equal_numpy(rng, sampler, guidance):
    """Every backend against one reference: the backends make the same images."""
    generator = make(rng, objective="ddpm" if sampler == "ddim" else "flow")
    noise, labels = rng.standard_normal((3, *SHAPE)), [2, 0, 1]
    settings = {"steps": 4, "guidance": guidance, "sampler": sampler}
    made = generator.generate(labels, noise=noise, batch_size=2, dtype="float32", **settings)
    arrays = arrays_of(generator)
    expected = [
        reference_dit.generate(arrays, z, y, 3, SIDE, CLASSES, 4, guidance, sampler)
        for z, y in zip(noise, labels, strict=True)
    ]
    assert made.shape == (3, *SHAPE)
    np.testing.assert_allclose(made / 127.5, np.array(expected) / 127.5, atol=1e-3)
    rounded = generator.generate(labels, noise=noise, **settings)
    assert rounded.dtype == np.uint8
    assert np.abs(rounded - np.clip(made, 0, 255)).max() < 0.51


def test_starts_as_the_identity_and_predicts_nothing(rng):
    generator = make()
    x = rng.standard_normal((2, PATCHES, PIXELS)).astype("float32")
    time, labels = np.array([0.2, 0.9], "float32"), np.array([0, 3])
    assert not numpy(generator.denoise(x, time, labels)).any()
    backbone, conditioning = generator.backbone, generator.conditioning
    tokens = backbone.encode(x, conditioning=conditioning, condition=(time, labels))
    arrays = backbone.arrays()
    embedded = x @ arrays["patch/kernel"] + arrays["positions"]
    np.testing.assert_allclose(numpy(tokens), reference_dit.standardized(embedded, 1e-6), atol=1e-4)


def test_without_a_modulation_but_gates_of_one_it_is_the_network_it_was(rng):
    vit = plain_vit()
    randomize(vit, rng)
    x = images(rng, 2, SHAPE)
    expected = numpy(vit(x))
    generator = make(backbone=vit)
    generator.conditioning.gate_bias.assign(np.ones((2, 2, 12)))
    condition = (np.array([0.2, 0.9], "float32"), np.array([0, 1]))
    tokens = vit.encode(
        vit.patches.patchify(x), conditioning=generator.conditioning, condition=condition
    )
    np.testing.assert_allclose(numpy(tokens), expected, atol=1e-5)


@pytest.mark.parametrize("heads", [1, 2])
def test_a_narrowed_generator_is_the_narrow_generator(rng, heads):
    wide = make(rng, template_vit())
    template = wide.template().resize(f"L2H{heads}")
    narrow = make(backbone=sk.SweetTemplateViT(template))
    cut = heads * 4
    for name in CONDITION:
        array = numpy(getattr(wide.conditioning, name))[..., :cut]
        if name in ("time_out_kernel", "final_modulation"):
            array = array[:cut]
        elif name == "block_modulation":
            array = array[:, :cut]
        getattr(narrow.conditioning, name).assign(array)
    narrow.pixels.kernel.assign(numpy(wide.pixels.kernel)[:cut])
    narrow.pixels.bias.assign(wide.pixels.bias)
    x = rng.standard_normal((2, PATCHES, PIXELS)).astype("float32")
    time, labels = np.array([0.2, 0.9], "float32"), np.array([0, 3])
    expected = numpy(narrow.denoise(x, time, labels))
    masked = wide.denoise(x, time, labels, heads=keras.ops.convert_to_tensor(heads))
    np.testing.assert_allclose(numpy(masked), expected, atol=1e-5)
    np.testing.assert_allclose(
        numpy(wide.denoise(x, time, labels, heads=heads)), expected, atol=1e-5
    )


def test_training_sends_a_part_of_the_batch_through_a_sub_network(rng):
    generator = make(rng, template_vit(subnetwork_rate=0.5))
    x = rng.standard_normal((2, PATCHES, PIXELS)).astype("float32")
    time, labels = np.array([0.2, 0.9], "float32"), np.array([0, 3])
    drawn = numpy(generator.denoise(x, time, labels, training=True))
    np.testing.assert_allclose(drawn[0], numpy(generator.denoise(x, time, labels))[0], atol=1e-5)
    assert np.abs(drawn[1] - numpy(generator.denoise(x, time, labels))[1]).max() > 1e-3


@pytest.mark.parametrize("backbone", [plain_vit, template_vit])
def test_training_step(rng, backbone):
    generator = make(rng, backbone(), label_dropout=0.4)
    check_training_step(generator, images(rng, 16, SHAPE), np.arange(16) % CLASSES)


def test_fit_learns_what_classes_look_like():
    """Two classes of one grey each: what is generated has the grey asked for."""
    labels = np.arange(64) % 2
    x = np.broadcast_to(np.where(labels, 200, 60)[:, None, None, None], (64, 8, 8, 1))
    # Wider than a patch: predicting noise means to pass it on.
    vit = sk.ViTBackbone("L1H4", image_shape=(8, 8, 1), patch_size=4, head_dim=8)
    generator = sk.ImageGenerator(vit, 2, seed=0)
    generator.compile(keras.optimizers.Adam(1e-2))
    losses = generator.fit(x.astype("uint8"), labels, batch_size=32, epochs=60, verbose=0)
    assert losses.history["loss"][-1] < 0.5 * losses.history["loss"][0]
    made = generator.generate([0] * 8 + [1] * 8, steps=8, guidance=1.0, seed=0)
    assert np.abs(made[:8].mean() - 60) < 30
    assert np.abs(made[8:].mean() - 200) < 30


def test_label_dropout_hides_labels_in_training_only(rng):
    generator = make(label_dropout=0.5, seed=1)
    x = images(rng, 64, SHAPE)
    hidden = numpy(generator(x, training=True)["hidden"])
    assert 16 < hidden.sum() < 48
    assert not numpy(generator(x, training=False)["hidden"]).any()


def test_averaged_weights_are_swapped_in(rng):
    """`SwapEMAWeights` evaluates with averages, and `fit` ends with them."""
    generator = make(rng)
    generator.compile(keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5))
    x, y = images(rng, 8, SHAPE), np.arange(8) % CLASSES
    steps = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            steps.append(numpy(self.model.pixels.bias))

    callbacks = [keras.callbacks.SwapEMAWeights(), Watch()]
    generator.fit(x, y, batch_size=8, epochs=3, verbose=0, callbacks=callbacks)
    average = steps[0]  # Keras starts its average at the first step's result
    for step in steps[1:]:
        average = 0.5 * average + 0.5 * step
    np.testing.assert_allclose(numpy(generator.pixels.bias), average, atol=1e-5)


def test_saved_and_loaded_it_makes_the_same_images(rng, tmp_path):
    check_config_round_trip(make(objective="ddpm", label_dropout=0.2, seed=3))
    for backbone in (plain_vit(), template_vit()):
        generator = make(rng, backbone)
        generator.save(tmp_path / "generator.keras")
        loaded = keras.saving.load_model(tmp_path / "generator.keras")
        np.testing.assert_array_equal(
            loaded.generate([0, 1], steps=2, seed=5), generator.generate([0, 1], steps=2, seed=5)
        )


@keras.saving.register_keras_serializable("tests")
def halved(pixels):
    return keras.ops.cast(pixels, "float32")[:, ::2, ::2] / 50 - 1


def test_latents_through_an_encoder_and_a_decoder(rng, tmp_path):
    """The generator works on what the encoder makes, and hands what it makes to the decoder."""
    decoder = keras.Sequential(
        [keras.Input(SHAPE), keras.layers.UpSampling2D(2), keras.layers.Rescaling(50.0, 50.0)]
    )
    vit = plain_vit(pixel_mean=0.0, pixel_std=2.0)
    generator = make(rng, vit, encoder=halved, decoder=decoder)
    x = images(rng, 2, (16, 24, 2))
    noise, time, hidden = draws(rng, 2)
    outputs = generator(x, noise=noise, time=0 * time, hidden=hidden, training=True)
    latents = (x[:, ::2, ::2] / 50 - 1) / 2
    np.testing.assert_allclose(numpy(outputs["noisy"])[1], patches_of(latents[1], SIDE), atol=1e-5)
    settings = {"noise": noise, "steps": 2, "dtype": "float32"}
    made = generator.generate([0, 1], **settings)
    bare = make(backbone=plain_vit(pixel_mean=0.0, pixel_std=2.0))
    for target, source in zip(bare.variables, generator.variables, strict=False):
        target.assign(numpy(source))  # JAX reuses the memory of what it runs
    plain = bare.generate([0, 1], **settings)
    expected = plain.repeat(2, axis=1).repeat(2, axis=2) * 50 + 50
    np.testing.assert_allclose(made, expected, atol=1e-2)
    generator.save(tmp_path / "latent.keras")
    loaded = keras.saving.load_model(tmp_path / "latent.keras")
    np.testing.assert_array_equal(loaded.generate([0, 1], **settings), made)
    generator.compile(keras.optimizers.Adam(0.01))
    history = generator.fit(images(rng, 4, (16, 24, 2)), np.arange(4) % CLASSES, verbose=0)
    assert np.isfinite(history.history["loss"][0])


def test_a_seed_gives_the_same_images(rng):
    generator = make(rng)
    first, again, other = (generator.generate([0, 1], steps=2, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_plain_network_has_no_template():
    with pytest.raises(ValueError, match="A template needs a SweetTemplateViT"):
        make().template()


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(policy):
    x = np.random.default_rng(1).standard_normal((2, PATCHES, PIXELS)).astype("float32")
    condition = np.array([0.2, 0.9], "float32"), np.array([0, 3])
    exact = numpy(make(np.random.default_rng(0)).denoise(x, *condition))
    generator = make(np.random.default_rng(0), plain_vit(dtype=policy))
    mixed = generator.denoise(x, *condition)
    assert keras.backend.standardize_dtype(mixed.dtype) == "float32"
    assert 0 < np.abs(numpy(mixed) - exact).max() < 0.1 * np.abs(exact).max()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"objective": "gan"}, r"`objective` must be one of flow, ddpm. Received: 'gan'"),
        ({"label_dropout": 1.0}, r"`label_dropout` must be at least 0 and below 1. Received: 1.0"),
        ({"encoder": halved}, r"`encoder` and `decoder` go together. Received: encoder="),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        sk.ImageGenerator(plain_vit(), CLASSES, **options)
    with pytest.raises(ValueError, match=r"`classes` must be a positive integer. Received: 0"):
        sk.ImageGenerator(plain_vit(), 0)


@pytest.mark.parametrize(
    "labels, options, message",
    [
        ([3], {}, r"`labels` must be a list of integers from 0 to 2. Received"),
        ([], {}, r"`labels` must be"),
        ([0.5], {}, r"`labels` must be"),
        ([0], {"steps": 0}, r"`steps` must be a positive integer. Received: 0"),
        (
            [0],
            {"sampler": "ddim"},
            r"`sampler` must be one of heun, euler for the objective",
        ),
        ([0], {"noise": np.zeros((1, 8, 8, 2))}, r"`noise` must have the shape \(1, 8, 12, 2\)"),
        ([0], {"dtype": "int8"}, r"`dtype` must be one of uint8, float32. Received: 'int8'"),
    ],
)
def test_bad_requests(labels, options, message):
    with pytest.raises(ValueError, match=message):
        make().generate(labels, **options)


def test_labels_are_needed(rng):
    generator = make()
    generator.compile(optimizer="adamw")
    with pytest.raises(ValueError, match="Labels are needed"):
        generator.fit(images(rng, 4, SHAPE), verbose=0)
    for labels in (np.array([0, 1, -1, 2]), [0, 1, 2, generator.classes]):
        with pytest.raises(ValueError, match="`y` must hold integers from 0 to"):
            generator.fit(images(rng, 4, SHAPE), labels, verbose=0)


def test_an_encoder_runs_as_in_inference(rng):
    encoder = keras.Sequential([keras.Input(SHAPE), keras.layers.Dropout(0.5)])
    identity = keras.Sequential([keras.Input(SHAPE), keras.layers.Rescaling(1.0)])
    generator = make(encoder=encoder, decoder=identity)
    x = images(rng, 2, SHAPE)
    noise, time, hidden = draws(rng, 2)
    outputs = generator(x, noise=noise, time=0 * time, hidden=hidden, training=True)
    expected = [patches_of((image - 127.5) / 127.5, SIDE) for image in x]
    np.testing.assert_allclose(numpy(outputs["noisy"]), expected, atol=1e-5)


def test_images_can_be_looked_at_while_it_is_trained(rng):
    generator, made = make(rng), []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            made.append(self.model.generate([0, 1], steps=2, seed=0, dtype="float32"))

    generator.compile(keras.optimizers.Adam(0.01))
    x, y = images(rng, 8, SHAPE), np.arange(8) % CLASSES
    generator.fit(x, y, batch_size=4, epochs=2, verbose=0, callbacks=[Look()])
    assert np.abs(made[1] - made[0]).max() > 0.1
    now = generator.generate([0, 1], steps=2, seed=0, dtype="float32")
    np.testing.assert_allclose(now, made[1], atol=1e-3)


def test_an_average_is_kept_and_outlives_sampling(rng, tmp_path):
    """On JAX a weight and its average are one array after `fit`, which a prediction donates."""
    generator = sk.ImageGenerator(sk.ViTBackbone("L1H1", image_shape=(4, 4, 1), patch_size=4), 2)
    optimizer = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)
    generator.compile(optimizer=optimizer)
    images = rng.integers(0, 256, (4, 4, 4, 1)).astype("uint8")
    generator.fit(images, np.array([0, 1, 0, 1]), batch_size=2, verbose=0)
    first = generator.generate([0, 1], steps=1, sampler="euler", seed=1)
    generator.save(tmp_path / "generator.keras")  # with the averages
    again = keras.saving.load_model(tmp_path / "generator.keras")
    np.testing.assert_array_equal(again.generate([0, 1], steps=1, sampler="euler", seed=1), first)
