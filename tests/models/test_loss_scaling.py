"""Half precision: Keras scales the loss by itself, around our optimizer too."""

import keras
import numpy as np
import pytest
from keras_checks import images, numpy, skip_untrainable

import sweet_keras as sk

SHAPE = (8, 8, 1)


def make(policy):
    keras.utils.set_random_seed(1)
    vit = sk.ViTBackbone("L1H2", image_shape=SHAPE, patch_size=4, head_dim=4, dtype=policy)
    model = sk.ImageClassifier(vit, 3)
    model.compile(sk.KernelMuon(1e-2))
    return model


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float32"])
def test_only_float16_needs_it(policy):
    scaled = isinstance(make(policy).optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (policy == "mixed_float16")


def test_a_gradient_that_overflows_is_left_out(rng):
    skip_untrainable("mixed_float16")
    model = make("mixed_float16")
    model.optimizer.build(model.trainable_variables)
    model.optimizer.dynamic_scale.assign(1e30)
    before = [numpy(weight) for weight in model.trainable_variables]
    x, y = images(rng, 4, SHAPE), np.arange(4) % 3
    model.fit(x, y, batch_size=4, verbose=0)
    for weight, old in zip(model.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(numpy(weight), old)
    assert float(numpy(model.optimizer.dynamic_scale)) < 1e30
    model.optimizer.dynamic_scale.assign(2.0**10)
    model.fit(x, y, batch_size=4, verbose=0)
    assert all(np.isfinite(numpy(weight)).all() for weight in model.trainable_variables)
    kernel, old = numpy(model.trainable_variables[0]), before[0]
    assert (kernel != old).any()
