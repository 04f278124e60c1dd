import keras
import numpy as np
import pytest
from keras_checks import numpy, randomize

from sweet_keras.models.feature_pyramid import feature_pyramid


def pyramid_model(shape, stride, **options):
    features = keras.Input(shape, name="features")
    return keras.Model(features, feature_pyramid(features, stride, **options))


@pytest.mark.parametrize("stride", [1, 2, 4, 8, 16, 32])
def test_every_level_has_its_stride(stride):
    """64 x 96 pixels: the shape of level l is that of the image, divided by 2**l."""
    model = pyramid_model((64 // stride, 96 // stride, 8), stride, channels=(5, 6, 7, 9))
    assert {name: tuple(x.shape) for name, x in model.output.items()} == {
        "P2": (None, 16, 24, 5),
        "P3": (None, 8, 12, 6),
        "P4": (None, 4, 6, 7),
        "P5": (None, 2, 3, 9),
    }


def test_odd_maps_are_pooled_as_anchors_expect(rng):
    """A 7x5 map of stride 16 has ceil(112 / 2**l) rows and ceil(80 / 2**l) columns."""
    model = pyramid_model((7, 5, 3), 16, channels=2, levels=(4, 5, 6, 7))
    sides = [tuple(x.shape[1:3]) for x in model.output.values()]
    assert sides == [(-(-112 // 2**level), -(-80 // 2**level)) for level in (4, 5, 6, 7)]
    x = rng.standard_normal((2, 7, 5, 3)).astype("float32") - 5  # a padding of zeros would show
    pooled = keras.Model(model.input, model.get_layer("pool_to_P6").output)
    once = np.stack(
        [[x[:, i : i + 2, j : j + 2].max((1, 2)) for j in range(0, 5, 2)] for i in range(0, 7, 2)]
    ).transpose(2, 0, 1, 3)
    twice = np.stack(
        [[once[:, i : i + 2, j : j + 2].max((1, 2)) for j in (0, 2)] for i in (0, 2)]
    ).transpose(2, 0, 1, 3)
    np.testing.assert_array_equal(numpy(pooled(x)), twice)


def layer_norm(x, layer):
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6)
    return x * numpy(layer.gamma) + numpy(layer.beta)


def gelu(x):
    from scipy.special import erf

    return x * (1 + erf(x / np.sqrt(2))) / 2


def twice_as_large(x, layer):
    batch, height, width, _ = x.shape
    kernel = numpy(layer.kernel)  # (2, 2, out, in)
    out = np.zeros((batch, 2 * height, 2 * width, kernel.shape[2]))
    for i in range(2):
        for j in range(2):
            out[:, i::2, j::2] = x @ kernel[i, j].T
    return out + numpy(layer.bias)


def convolve(x, layer):
    kernel = numpy(layer.kernel)
    side = kernel.shape[0]
    padded = np.pad(x, ((0, 0), (side // 2, side // 2), (side // 2, side // 2), (0, 0)))
    height, width = x.shape[1:3]
    return sum(
        padded[:, i : i + height, j : j + width] @ kernel[i, j]
        for i in range(side)
        for j in range(side)
    )


def test_values(rng):
    """The finest and the coarsest level as in the paper, in numpy."""
    model = pyramid_model((4, 6, 8), 16, channels=(5, 6), levels=(2, 5))
    randomize(model, rng)
    for variable in model.variables:
        if "norm" in variable.path:
            variable.assign(rng.standard_normal(variable.shape))
    x = rng.standard_normal((2, 4, 6, 8)).astype("float32")
    layer = model.get_layer
    fine = twice_as_large(x.astype("float64"), layer("P2_up_1"))
    assert fine.shape[-1] == 4
    fine = twice_as_large(gelu(layer_norm(fine, layer("P2_up_1_norm"))), layer("P2_up_2"))
    assert fine.shape[-1] == 2
    coarse = x.astype("float64").reshape(2, 2, 2, 3, 2, 8).max((2, 4))
    for name, level in (("P2", fine), ("P5", coarse)):
        for part in ("lateral", "output"):
            level = layer_norm(
                convolve(level, layer(f"{name}_{part}")), layer(f"{name}_{part}_norm")
            )
        np.testing.assert_allclose(numpy(model(x)[name]), level, atol=2e-4)


def test_initial_kernels():
    model = pyramid_model((2, 2, 64), 16, channels=64, levels=(2, 5))
    for name, fan_in in (("P5_lateral", 64), ("P5_output", 9 * 64), ("P2_up_1", 4 * 32)):
        kernel = numpy(model.get_layer(name).kernel)
        assert 0.95 < np.abs(kernel).max() * np.sqrt(fan_in) <= 1 + 1e-6
        np.testing.assert_allclose(kernel.std() * np.sqrt(3 * fan_in), 1, atol=0.05)


@pytest.mark.parametrize("stride", [3, 14, 64])
def test_bad_stride(stride):
    with pytest.raises(ValueError, match=rf"`patch_size` must be a power of two.*{stride}"):
        pyramid_model((2, 2, 8), stride)


@pytest.mark.parametrize("levels", [(), (3, 2), (2, 2), (-1,), 4, (2.5,), (10,)])
def test_bad_levels(levels):
    with pytest.raises(ValueError, match=r"`levels` must be ascending integers.*Received"):
        pyramid_model((2, 2, 8), 16, levels=levels)


@pytest.mark.parametrize("channels", [0, (8, 8), (8, 8, 8, -1), "many", 2.5])
def test_bad_channels(channels):
    with pytest.raises(ValueError, match="`channels` must be a positive integer or 4 of them"):
        pyramid_model((2, 2, 8), 16, channels=channels)
