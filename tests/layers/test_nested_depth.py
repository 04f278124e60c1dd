import numpy as np
import pytest
from keras_checks import check_config_round_trip, images, numpy, randomize

import sweet_keras as sk
from sweet_keras.layers.nested_depth import NestedDepth


def test_keeps_evenly_spaced_layers():
    layer = NestedDepth(6, rate=1.0, seed=0)
    kept = {tuple(numpy(layer(training=True)).astype(int)) for _ in range(60)}
    assert all(row[0] and row[-1] for row in kept)
    assert (1, 0, 0, 1, 0, 1) in kept
    assert {sum(row) for row in kept} == {2, 3, 4, 5}


def test_rate():
    layer = NestedDepth(6, rate=0.25, seed=0)
    whole = sum(numpy(layer(training=True)).all() for _ in range(200))
    assert 120 < whole < 180
    assert layer(training=False) is None
    assert NestedDepth(2, rate=1.0)(training=True) is None


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_skipping_layers_is_the_shallow_network(rng, depth):
    layer = sk.SweetTemplateViT(
        "L5H2", image_shape=(8, 8, 1), patch_size=4, head_dim=4, width_rate=0.0, depth_rate=1.0
    )
    layer.depth = NestedDepth(5, rate=1.0, depths=(depth,))
    layer.build()
    randomize(layer, rng)
    x = images(rng, 2, (8, 8, 1))
    shallow = sk.materialize(layer.template(), f"L{depth}H2")
    np.testing.assert_allclose(numpy(layer(x, training=True)), numpy(shallow(x)), atol=1e-5)


def test_config():
    check_config_round_trip(NestedDepth(6, 0.25, depths=(2, 3), seed=7, name="depth"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": -0.1}, "`rate` must be between 0 and 1. Received: -0.1"),
        ({"depths": (7,)}, "`depths` must hold numbers of layers from 1 to 6"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        NestedDepth(6, **options)
