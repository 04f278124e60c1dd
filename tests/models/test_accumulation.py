"""Gradients of parts of a batch, added up, are those of the batch."""

import keras
import numpy as np
import pytest
from keras_checks import images, numpy

import sweet_keras as sk
from sweet_keras.runs.training import adamw, muon

SHAPE = (8, 8, 1)


def trained(optimizer, x, y, parts):
    keras.utils.set_random_seed(1)
    vit = sk.ViTBackbone("L1H2", image_shape=SHAPE, patch_size=4, head_dim=4)
    model = sk.ImageClassifier(vit, 3)
    # Two steps of a warm-up, in which a rate that counted parts would be another one.
    made = optimizer(1e-3, 4, 0.9, 0.05, accumulate=parts)
    model.compile(made)
    model.fit(x, y, batch_size=8 // parts, epochs=1, shuffle=False, verbose=0)
    assert int(numpy(made.iterations)) == 2
    return [numpy(weight) for weight in model.trainable_variables]


@pytest.mark.parametrize("optimizer", [adamw, muon])
def test_equals_the_large_batch(optimizer, rng):
    x, y = images(rng, 16, SHAPE), rng.integers(0, 3, 16)
    whole, parts = (trained(optimizer, x, y, count) for count in (1, 4))
    for name, (one, other) in enumerate(zip(whole, parts, strict=True)):
        # Rounding takes part in gradients that are zero: of key biases a step of Adam remains.
        np.testing.assert_allclose(other, one, atol=1e-4, err_msg=str(name))
        assert np.abs(other - one).mean() < 1e-5
