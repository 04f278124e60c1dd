"""Networks of this package with random weights, to be written in other formats."""

import keras_checks
import numpy as np
from formats.foreign import pixel_arguments

import sweet_keras as sk

GREY = {"image_shape": (28, 28, 1), "patch_size": 7, "head_dim": 8, "positions": "sincos"}


def network(rng, size="L2H2", **options):
    """By default square images in colour, a class token, and the pixels of tests.foreign."""
    channels = options.get("image_shape", (16, 16, 3))[2]
    options = {
        "image_shape": (16, 16, 3),
        "patch_size": 4,
        "head_dim": 8,
        "positions": "learned",
        "class_token": True,
        **pixel_arguments(channels),
        **options,
    }
    vit = sk.ViTBackbone(size, **options)
    keras_checks.randomize(vit, rng, spread=0.2)
    return vit


def classifier(rng, pooling="mean", **options):
    names = ["ant", "bee", "cat"]
    model = sk.ImageClassifier(network(rng, **options), 3, pooling=pooling, class_names=names)
    for name in ("kernel", "bias"):
        variable = getattr(model.get_layer("logits"), name)
        variable.assign(rng.standard_normal(variable.shape))
    return model


def same(outputs, expected, tolerance=1e-4):
    np.testing.assert_allclose(outputs, expected, atol=tolerance, rtol=tolerance)


def same_weights(vit, other):
    """To the bit."""
    arrays, others = vit.arrays(), other.arrays()
    assert arrays.keys() == others.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(others[name], array, err_msg=name)
    names = "size image_shape patch_size class_token register_tokens mlp_ratio norm_epsilon".split()
    for name in (*names, "activation", "head_dim"):
        assert getattr(vit, name) == getattr(other, name)
    np.testing.assert_allclose(
        other.pixel_mean, np.broadcast_to(vit.pixel_mean, 3)[: len(other.pixel_mean)], rtol=1e-6
    )
    np.testing.assert_allclose(
        other.pixel_std, np.broadcast_to(vit.pixel_std, 3)[: len(other.pixel_std)], rtol=1e-6
    )
