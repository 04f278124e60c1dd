import keras
import numpy as np
import pytest
from keras_checks import images, numpy, randomize, smooth_images

import sweet_keras as sk
from sweet_keras.initialization.brief_fit import autoencoder_like
from sweet_keras.initialization.ligo import ligo
from sweet_keras.initialization.tleg import linear_vit

# On every backend `runs/test_compare.py` makes a network by each method.
pytestmark = pytest.mark.once

SHAPE = (8, 12, 2)


def autoencoder(rng=None, size="L2H2", **options):
    vit = sk.ViTBackbone(size, image_shape=SHAPE, patch_size=4, head_dim=4, **options)
    mae = sk.MaskedAutoencoder(vit, mask_ratio=2 / 3, decoder="L1H2", seed=0)
    mae.build()
    if rng is not None:
        randomize(mae, rng)
    return mae


def test_the_same_size_is_the_same_network(rng):
    source = autoencoder(rng, class_token=True)
    x = images(rng, 3, SHAPE)
    made = ligo(source, "L2H2", adapt=x, steps=3)
    np.testing.assert_array_equal(numpy(made(x)), numpy(source.encoder(x)))


@pytest.mark.parametrize("heads", [4, 6])
def test_whole_multiples_of_the_width_start_with_the_function(rng, heads):
    source = autoencoder(rng, class_token=True, layer_scale=0.5)
    x = images(rng, 3, SHAPE)
    tokens = numpy(source.encoder(x))
    made = ligo(source, f"L2H{heads}")
    assert type(made) is sk.ViTBackbone
    np.testing.assert_allclose(numpy(made(x)), np.tile(tokens, heads // 2), atol=1e-4)
    noise = rng.random((3, 6)).astype("float32")
    large = autoencoder_like(source, made)
    np.testing.assert_allclose(
        numpy(large(x, noise=noise)["prediction"]),
        numpy(source(x, noise=noise)["prediction"]),
        atol=1e-4,
    )


def test_the_fit_leaves_the_source_and_keeps_to_what_can_be_grown(rng):
    source = autoencoder(rng)
    before = source.get_weights()
    trainable = len(source.trainable_variables)
    x = images(rng, 16, SHAPE)
    start = ligo(source, "L3H3").arrays()
    made = ligo(source, "L3H3", adapt=x, steps=3, batch_size=8, learning_rate=1e-2, seed=0).arrays()
    for name in made:
        assert (made[name] != start[name]).any(), name
    for old, new in zip(before, source.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert len(source.trainable_variables) == trainable
    # B = [I; E]: old channels of what is outside the blocks are as they were, and new ones a
    # combination of them: the tokens span no more than the small network's.
    np.testing.assert_array_equal(
        made["patch/kernel"][:, :8], source.encoder.arrays()["patch/kernel"]
    )
    embedding = np.concatenate(
        [made["patch/kernel"], made["patch/bias"][None], made["positions"]]
    ).astype("float64")
    assert np.linalg.matrix_rank(embedding, tol=1e-4) == 8
    # Kernels of a kind span no more than the layers they were mixed of.
    for name, inner in (("qkv/kernel", 8), ("output/kernel", 8), ("mlp_in/kernel", 8)):
        for kernel in made[name]:
            assert np.linalg.matrix_rank(kernel.astype("float64"), tol=1e-4) <= inner


def test_the_fit_lowers_the_loss(rng):
    x = smooth_images(rng)
    source = autoencoder()
    source.compile(keras.optimizers.Adam(3e-3))
    source.fit(x, batch_size=16, epochs=4, verbose=0)
    noise = rng.random((64, 6)).astype("float32")

    def loss(encoder):
        mae = autoencoder_like(source, encoder)
        return float(numpy(mae.compute_loss(None, None, mae(x, noise=noise))))

    fitted = ligo(source, "L3H3", adapt=x, steps=40, batch_size=32, learning_rate=5e-3, seed=0)
    assert loss(fitted) < loss(ligo(source, "L3H3"))


def test_errors(rng):
    source = autoencoder()
    with pytest.raises(ValueError, match=r"no shallower and no narrower than the source, L2H2"):
        ligo(source, "L1H4")
    constrained = sk.MaskedAutoencoder(linear_vit(source.encoder), mask_ratio=2 / 3)
    with pytest.raises(ValueError, match=r"of a plain ViTBackbone\. Received: GeneratedViT"):
        ligo(constrained, "L4H4")
    with pytest.raises(ValueError, match="`steps` must be positive"):
        ligo(source, "L4H4", adapt=images(rng, 4, SHAPE), steps=0)


def test_sixteen_bits(rng):
    half, exact = autoencoder(dtype="mixed_bfloat16"), autoencoder()
    exact.set_weights(half.get_weights())
    x = images(rng, 8, SHAPE)
    wide = [ligo(mae, "L3H3", adapt=x, steps=1, learning_rate=1e-9) for mae in (half, exact)]
    assert wide[0].dtype_policy.name == "mixed_bfloat16"
    expected = numpy(wide[1](x))
    error = numpy(keras.ops.cast(wide[0](x), "float32")) - expected
    assert np.abs(error).max() < 0.1 * np.abs(expected).max()
