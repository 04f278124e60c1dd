"""Templates fitted to the tokens of their source."""

import numpy as np
import pytest
from keras_checks import images, numpy, randomize, smooth_images

import sweet_keras as sk
from sweet_keras.initialization.refine import output_error

SHAPE = (8, 12, 2)


def network(rng, **options):
    options = {"class_token": True, "register_tokens": 1, **options}
    vit = sk.ViTBackbone("L2H2", image_shape=SHAPE, patch_size=4, head_dim=4, **options)
    randomize(vit, rng)
    return vit


def test_output_error_is_relative_to_the_spread_of_the_tokens(rng):
    vit = network(rng)
    x = images(rng, 5, SHAPE)
    template = sk.decompose(vit, (5, 5, 5), order="energy")
    channels = template.record["decomposition"]["channels"]
    theirs = numpy(vit(x))[..., channels]
    mine = numpy(sk.materialize(template)(x))
    spread = sum(np.sum((theirs[..., c] - theirs[..., c].mean()) ** 2) for c in range(8))
    expected = np.sqrt(np.sum((mine - theirs) ** 2) / spread)
    np.testing.assert_allclose(output_error(template, vit, x, batch_size=2), expected, rtol=1e-4)
    assert output_error(sk.decompose(vit, order="energy"), vit, x) < 1e-4


@pytest.mark.parametrize("order", ["none", "energy"])
def test_refining_recovers_outputs(rng, order):
    vit = network(rng)
    before, trainable = vit.get_weights(), len(vit.trainable_variables)
    x = smooth_images(rng)
    template = sk.decompose(vit, (12, 6, 6), order=order)
    refined = sk.refine(
        template, vit, x[:48], validation=x[48:], steps=30, batch_size=16, learning_rate=2e-2,
        seed=0,
    )  # fmt: skip
    about = refined.record["refinement"]
    assert about["steps"] == 30
    assert about["error_after"] < 0.7 * about["error_before"]
    for name, given in (("error_before", template), ("error_after", refined)):
        np.testing.assert_allclose(about[name], output_error(given, vit, x[48:]), atol=1e-3)
    assert refined.ranks == template.ranks
    assert refined.record["decomposition"] == template.record["decomposition"]
    for name in ("core", "layer_scaler", "input_scaler", "output_scaler", "patch/kernel"):
        assert (refined.arrays[name] != template.arrays[name]).any(), name
    np.testing.assert_array_equal(refined.arrays["positions"], template.arrays["positions"])
    for old, new in zip(before, vit.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert len(vit.trainable_variables) == trainable


def test_the_last_tenth_is_held_out(rng):
    x = smooth_images(rng)[:40]
    vit = network(rng)
    template = sk.decompose(vit, (9, 5, 5))
    options = {"steps": 2, "batch_size": 8, "seed": 1}
    one = sk.refine(template, vit, x, **options)
    other = sk.refine(template, vit, x[:36], validation=x[36:], **options)
    assert one.record == other.record
    np.testing.assert_allclose(one.arrays["core"], other.arrays["core"], atol=1e-6)


def test_the_decoder_stays(rng):
    mae = sk.MaskedAutoencoder(network(rng), mask_ratio=0.5, decoder="L1H1")
    mae.build()
    template = sk.decompose(mae, (9, 5, 5))
    refined = sk.refine(template, mae, smooth_images(rng), steps=1, batch_size=4)
    assert refined.decoder == template.decoder
    name = "decoder/pixels/kernel"
    np.testing.assert_array_equal(refined.arrays[name], template.arrays[name])


def test_bad_arguments(rng):
    vit = network(rng)
    template = sk.decompose(vit)
    x = images(rng, 9, SHAPE)
    with pytest.raises(ValueError, match="`validation` must be given with a data set, or fewer"):
        sk.refine(template, vit, x)
    with pytest.raises(ValueError, match=r"`template` must be of the size and images of `vit`.*L1"):
        sk.refine(template.resize("L1H2"), vit, x, validation=x)
    with pytest.raises(ValueError, match="`steps` must be given with a data set"):
        sk.refine(template, vit, iter(()), validation=x)
    with pytest.raises(ValueError, match=r"`epochs` must be positive\. Received: 0"):
        sk.refine(template, vit, x, validation=x, epochs=0)
