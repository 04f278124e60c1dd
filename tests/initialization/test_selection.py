"""Selections against plain loops over indices."""

import numpy as np
import pytest
from keras_checks import images, numpy, randomize

import sweet_keras as sk
from sweet_keras.initialization.learngene import auto_lg, heur_lg, share_init
from sweet_keras.initialization.selection import prefix_selection, spread, weight_selection

SHAPE = (8, 12, 2)


def network(rng, size="L6H4", **options):
    vit = sk.ViTBackbone(size, image_shape=SHAPE, patch_size=4, head_dim=4, **options)
    randomize(vit, rng)
    return vit


def test_spread():
    assert spread(12, 4).tolist() == [0, 3, 6, 9]
    assert spread(10, 4).tolist() == [0, 3, 6, 9]
    assert spread(8, 3).tolist() == [0, 4, 7]  # 3.5 rounds to the even neighbour
    assert spread(5, 5).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("size, channels", [("L2H2", range(0, 16, 2)), ("L6H1", range(0, 16, 4))])
def test_weight_selection_takes_every_nth(rng, size, channels):
    source = network(rng, class_token=True, layer_scale=0.5)
    made = weight_selection(source, size)
    depth, channels = made.size.depth, list(channels)
    old, new = source.arrays(), made.arrays()
    step = channels[1]
    hidden = list(range(0, 64, step))
    thirds = [part * 16 + c for part in range(3) for c in channels]
    np.testing.assert_array_equal(new["patch/kernel"], old["patch/kernel"][:, channels])
    np.testing.assert_array_equal(new["class_token"], old["class_token"][channels])
    np.testing.assert_array_equal(new["norm1/scale"], old["norm1/scale"][:depth, channels])
    np.testing.assert_array_equal(new["layer_scale2"], old["layer_scale2"][:depth, channels])
    qkv = old["qkv/kernel"][:depth][:, channels][:, :, thirds]
    np.testing.assert_array_equal(new["qkv/kernel"], qkv)
    np.testing.assert_array_equal(
        new["mlp_in/kernel"], old["mlp_in/kernel"][:depth][:, channels][:, :, hidden]
    )
    np.testing.assert_array_equal(
        new["mlp_in/bias"].reshape(depth, -1), old["mlp_in/bias"].reshape(6, 64)[:depth, hidden]
    )
    np.testing.assert_array_equal(
        new["mlp_out/kernel"], old["mlp_out/kernel"][:depth][:, hidden][:, :, channels]
    )


def test_prefix_selection_takes_the_first_channels_and_spaced_layers(rng):
    source = network(rng)
    made = prefix_selection(source, "L3H2")
    old, new = source.arrays(), made.arrays()
    layers = [0, 3, 5]
    np.testing.assert_array_equal(new["output/kernel"], old["output/kernel"][layers, :8, :8])
    np.testing.assert_array_equal(new["mlp_out/kernel"], old["mlp_out/kernel"][layers, :32, :8])
    value = slice(32, 40)
    np.testing.assert_array_equal(
        new["qkv/kernel"][:, :, 16:], old["qkv/kernel"][layers, :8, value]
    )
    np.testing.assert_array_equal(new["positions"], old["positions"][:, :8])


@pytest.mark.parametrize("method", [weight_selection, prefix_selection, share_init])
def test_the_same_size_is_the_same_network(rng, method):
    source = network(rng, "L1H3")
    x = images(rng, 2, SHAPE)
    np.testing.assert_array_equal(numpy(method(source, "L1H3")(x)), numpy(source(x)))


def test_share_init_repeats_one_block(rng):
    source = network(rng)
    old, new = source.arrays(), share_init(source, "L9H2", layer=4).arrays()
    for layer in range(9):
        np.testing.assert_array_equal(new["qkv/bias"][layer], old["qkv/bias"][4][:, :8])
        np.testing.assert_array_equal(new["mlp_in/kernel"][layer, 0], new["mlp_in/kernel"][0, 0])
    np.testing.assert_array_equal(new["final_norm/bias"], old["final_norm/bias"][:8])


def test_heur_lg_ends_with_the_last_three(rng):
    source = network(rng, "L8H2")
    old, new = source.arrays(), heur_lg(source, "L5H2").arrays()
    np.testing.assert_array_equal(new["output/kernel"][2:], old["output/kernel"][5:])
    assert not np.isin(new["output/kernel"][:2], old["output/kernel"]).any()
    np.testing.assert_array_equal(new["norm1/scale"][:2], 1.0)
    assert not np.isin(new["patch/kernel"], old["patch/kernel"]).any()


def test_auto_lg_begins_with_the_first_six(rng):
    source = network(rng, "L8H2")
    old, new = source.arrays(), auto_lg(source, "L9H2").arrays()
    np.testing.assert_array_equal(new["output/kernel"][:6], old["output/kernel"][:6])
    assert not np.isin(new["output/kernel"][6:], old["output/kernel"]).any()
    short = auto_lg(source, "L3H1").arrays()
    np.testing.assert_array_equal(short["output/kernel"], old["output/kernel"][:3, :4, :4])


@pytest.mark.parametrize(
    "method", [weight_selection, prefix_selection, heur_lg, auto_lg, share_init]
)
def test_a_wider_target_is_refused(rng, method):
    with pytest.raises(ValueError, match=r"`size` must be .*L3H5"):
        method(network(rng), "L3H5")


def test_a_deeper_target_is_refused_by_selection(rng):
    with pytest.raises(ValueError, match=r"no deeper and no wider than the source, L6H4.*L7H1"):
        weight_selection(network(rng), "L7H1")
    with pytest.raises(ValueError, match=r"`layer` must be from 0 to 5\. Received: 6"):
        share_init(network(rng), "L3H2", layer=6)
