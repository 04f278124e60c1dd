import numpy as np
import pytest
from keras_checks import check_config_round_trip, numpy, randomize

from sweet_keras.layers.linear_expansion import LinearExpansion


def make(depth=4, **options):
    layer = LinearExpansion(depth, 3, 4, **options)
    layer.build()
    return layer


@pytest.mark.parametrize("depth", [1, 4, 7])
def test_equals_the_formula(rng, depth):
    layer = make(layer_scale=0.1)
    randomize(layer, rng)
    made = layer(depth=depth)
    assert set(made) == set(layer.names)
    for name, tensor in made.items():
        base, slope = numpy(layer.base[name]), numpy(layer.slope[name])
        tensor = numpy(tensor)
        assert len(tensor) == depth
        for i in range(depth):
            np.testing.assert_allclose(tensor[i], base + (i + 1) / depth * slope, rtol=1e-5)


def test_covers_a_block_and_starts_like_a_plain_one():
    layer = LinearExpansion(6, 12, 8, layer_scale=0.1)
    layer.build()
    made = {name: numpy(tensor) for name, tensor in layer().items()}
    shapes = {
        "norm1/scale": (96,),
        "norm1/bias": (96,),
        "norm2/scale": (96,),
        "norm2/bias": (96,),
        "qkv/kernel": (96, 288),
        "qkv/bias": (3, 96),
        "output/kernel": (96, 96),
        "output/bias": (96,),
        "mlp_in/kernel": (96, 384),
        "mlp_in/bias": (4, 96),
        "mlp_out/kernel": (384, 96),
        "mlp_out/bias": (96,),
        "layer_scale1": (96,),
        "layer_scale2": (96,),
    }
    assert {name: array.shape[1:] for name, array in made.items()} == shapes
    for name in ("norm1/scale", "norm2/scale"):
        np.testing.assert_array_equal(made[name], 1.0)
    for name in ("qkv/bias", "mlp_out/bias", "norm1/bias"):
        np.testing.assert_array_equal(made[name], 0.0)
    np.testing.assert_allclose(made["layer_scale1"], 0.1, rtol=1e-6)
    xavier = {"qkv": 1 / 96, "output": 1 / 96, "mlp_in": 0.4 / 96, "mlp_out": 0.4 / 96}
    for name, variance in xavier.items():
        np.testing.assert_allclose(made[f"{name}/kernel"].var(), variance, rtol=0.05)


def test_configuration():
    check_config_round_trip(make(layer_scale=0.1))
