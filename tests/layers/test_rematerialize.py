"""Blocks that are computed again give the same gradients."""

import keras
import numpy as np
import pytest
from keras_checks import images, numpy

import sweet_keras as sk

SHAPE = (8, 8, 1)


def trained(make, x, remat):
    keras.utils.set_random_seed(1)
    model = make()
    sk.rematerialize(model, remat)
    model.compile(keras.optimizers.SGD(0.1))
    model.fit(x, *labels(model, x), batch_size=4, epochs=1, shuffle=False, verbose=0)
    return [numpy(weight) for weight in model.trainable_variables]


def labels(model, x):
    return (np.arange(len(x)) % 2,) if isinstance(model, sk.ImageClassifier) else ()


def autoencoder(ranks=(8, 4, 4), tokens=1):
    """Factored projections, whose factors must get their gradients through the blocks."""
    encoder = sk.SweetTemplateViT(
        "L2H2", image_shape=SHAPE, patch_size=4, head_dim=4, ranks=ranks, tokens=tokens, seed=0,
        subnetwork_rate=0.0,
    )  # fmt: skip
    assert encoder.kernels.plan(encoder.size).materialize == (tokens > 1)
    return sk.MaskedAutoencoder(encoder, mask_ratio=0.5, decoder="L1H1", seed=0)


def autoencoder_of_w():
    """W is built, and what its products need is computed again."""
    return autoencoder(ranks=(24, 8, 8), tokens=1000)


def classifier():
    vit = sk.ViTBackbone("L2H2", image_shape=SHAPE, patch_size=4, head_dim=4)
    return sk.ImageClassifier(vit, 2)


@pytest.mark.parametrize("make", [autoencoder, autoencoder_of_w, classifier])
def test_the_same_gradients(make, rng):
    x = images(rng, 4, SHAPE)
    kept, again = (trained(make, x, remat) for remat in (False, True))
    for one, other in zip(kept, again, strict=True):
        np.testing.assert_allclose(other, one, atol=2e-6)


def test_what_cannot_be_computed_again_is_refused():
    vit = sk.ViTBackbone("L2H2", image_shape=SHAPE, patch_size=4, head_dim=4, drop_path=0.1)
    with pytest.raises(ValueError, match=r"without stochastic depth.*drop_path=0\.1"):
        sk.rematerialize(vit)
    with pytest.raises(ValueError, match=r"`model` must have transformer blocks"):
        sk.rematerialize(keras.Sequential([keras.layers.Dense(1)]))
