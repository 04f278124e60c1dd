"""The ways to start a network keep its registers, its norms and its kind of MLP."""

import numpy as np
import pytest
from keras_checks import images, numpy, randomize
from reference_vit import vit as reference_vit

import sweet_keras as sk
from sweet_keras.initialization.learngene import auto_lg, heur_lg, share_init
from sweet_keras.initialization.ligo import ligo
from sweet_keras.initialization.selection import prefix_selection, weight_selection
from sweet_keras.initialization.tleg import linear_vit, tleg
from sweet_keras.initialization.wave import kronecker_vit, wave

# On every backend `runs/test_compare.py` makes a network by each method.
pytestmark = pytest.mark.once

SHAPE = (8, 12, 2)
FORM = {"register_tokens": 2, "norm_epsilon": 0.1, "mlp_ratio": 3, "activation": "gelu_tanh"}


def blank(size="L2H2"):
    return sk.ViTBackbone(
        size, image_shape=SHAPE, patch_size=4, head_dim=4, class_token=True, **FORM
    )


def autoencoder(rng, make=lambda vit: vit):
    mae = sk.MaskedAutoencoder(make(blank()), mask_ratio=2 / 3, decoder="L1H2", seed=0)
    mae.build()
    randomize(mae, rng)
    return mae


def check_form(vit, size):
    assert {name: getattr(vit, name) for name in FORM} == FORM
    assert str(vit.size) == size


@pytest.mark.parametrize(
    "method", [weight_selection, prefix_selection, share_init, heur_lg, auto_lg]
)
def test_selections(rng, method):
    source = blank()
    randomize(source, rng)
    made = method(source, "L1H1")
    check_form(made, "L1H1")
    if method is prefix_selection:
        old, new = source.arrays(), made.arrays()
        np.testing.assert_array_equal(new["register_tokens"], old["register_tokens"][:, :4])
        np.testing.assert_array_equal(new["mlp_out/kernel"], old["mlp_out/kernel"][1:, :12, :4])
        hidden = old["mlp_in/bias"][1:].reshape(1, 24)[:, :12].reshape(1, 3, 4)
        np.testing.assert_array_equal(new["mlp_in/bias"], hidden)
    x = images(rng, 2, SHAPE)
    same = method(source, "L2H2")
    if method in (weight_selection, prefix_selection):
        np.testing.assert_array_equal(numpy(same(x)), numpy(source(x)))
    expected = reference_vit(x, made.arrays(), 1, 4, epsilon=0.1, activation="gelu_tanh")
    np.testing.assert_allclose(numpy(made(x)), expected, atol=2e-5)


@pytest.mark.parametrize(
    ("method", "make"),
    [(wave, kronecker_vit), (ligo, lambda vit: vit), (tleg, linear_vit)],
    ids=["wave", "ligo", "tleg"],
)
def test_methods_of_a_trained_source(rng, method, make):
    mae = autoencoder(rng, make)
    x = images(rng, 4, SHAPE)
    source = mae.encoder if method is tleg else mae
    same = method(source, "L2H2")
    check_form(same, "L2H2")
    np.testing.assert_allclose(numpy(same(x)), numpy(mae.encoder(x)), atol=1e-5)
    if method is tleg:
        check_form(method(source, "L3H1"), "L3H1")
        return
    wide = method(source, "L2H4")
    check_form(wide, "L2H4")
    np.testing.assert_allclose(numpy(wide(x)), np.tile(numpy(same(x)), 2), atol=1e-4)
    fitted = method(source, "L3H4", adapt=x, steps=1, batch_size=4)
    check_form(fitted, "L3H4")


def test_a_template_is_adapted(rng):
    layer = sk.SweetTemplateViT(
        "L2H2", image_shape=SHAPE, patch_size=4, head_dim=4, class_token=True, **FORM
    )
    mae = sk.MaskedAutoencoder(layer, mask_ratio=2 / 3, decoder="L1H1")
    mae.build()
    randomize(mae, rng)
    template, x = mae.template(), images(rng, 4, SHAPE)
    made = sk.materialize(template, "L3H1", adapt=x, steps=2, batch_size=4)
    check_form(made, "L3H1")
    start = sk.materialize(template, "L3H1").arrays()
    assert (made.arrays()["register_tokens"] != start["register_tokens"]).all()
    wide = numpy(sk.materialize(template, "L2H4")(x))
    np.testing.assert_allclose(wide, np.tile(numpy(layer(x)), 2), atol=1e-4)
