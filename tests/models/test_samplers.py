import itertools

import keras
import numpy as np
import pytest
from keras_checks import numpy

from sweet_keras.models.noise_paths import PATHS
from sweet_keras.models.samplers import ddim, euler, heun

MEAN, DEVIATION = 1.5, 0.4


def line_velocity(x, t):
    """E[noise - data | x] for x = (1 - t) data + t noise, data ~ N(MEAN, DEVIATION^2)."""
    variance = (1 - t) ** 2 * DEVIATION**2 + t**2
    slope = (t - (1 - t) * DEVIATION**2) / variance
    return slope * (x - (1 - t) * MEAN) - MEAN


def expected_noise(x, t):
    """E[noise | x] for x = a data + s noise."""
    a, s = PATHS["ddpm"].weights(t)
    return s * (x - a * MEAN) / (a**2 * DEVIATION**2 + s**2)


def run(sampler, field, z, steps):
    return numpy(sampler(field, keras.ops.convert_to_tensor(z), steps))


def flow_errors(sampler, steps, z):
    # The mean moves along the path, and the distance to it keeps its share of the deviation.
    return np.abs(run(sampler, line_velocity, z, steps) - (MEAN + DEVIATION * z)).max()


@pytest.mark.parametrize("sampler, order", [(euler, 1), (heun, 2)])
def test_flow_ends_where_it_must_at_its_order(rng, sampler, order):
    z = rng.standard_normal((1000, 1)).astype("float32")
    errors = [flow_errors(sampler, steps, z) for steps in (8, 16, 32)]
    for coarse, fine in itertools.pairwise(errors):
        assert coarse / fine == pytest.approx(2**order, rel=0.25)
    made = run(sampler, line_velocity, z, 32)
    assert made.mean() == pytest.approx(MEAN + DEVIATION * z.mean(), abs=0.03)
    assert made.std() == pytest.approx(DEVIATION * z.std(), rel=0.05)


def test_heun_is_nearer_than_euler_at_equal_evaluations(rng):
    z = rng.standard_normal((100, 1)).astype("float32")
    assert flow_errors(heun, 10, z) < 0.3 * flow_errors(euler, 20, z)


def test_ddim_ends_where_it_must(rng):
    z = rng.standard_normal((1000, 1)).astype("float32")
    a, s = (float(weight) for weight in PATHS["ddpm"].weights(1.0))
    # What is sampled starts from pure noise, not from x_1, whose mean is a * MEAN.
    exact = MEAN + DEVIATION * (z - a * MEAN) / np.sqrt(a**2 * DEVIATION**2 + s**2)
    errors = [np.abs(run(ddim, expected_noise, z, n) - exact).max() for n in (20, 40, 80)]
    for coarse, fine in itertools.pairwise(errors):
        assert coarse / fine == pytest.approx(2, rel=0.25)
    made = run(ddim, expected_noise, z, 80)
    assert made.mean() == pytest.approx(MEAN + DEVIATION * z.mean(), abs=0.03)
    assert made.std() == pytest.approx(DEVIATION * z.std(), rel=0.05)


@pytest.mark.parametrize("name", PATHS)
def test_paths_lead_from_images_to_noise(name, rng):
    path = PATHS[name]
    times = np.linspace(0, 1, 5, dtype="float32")
    image, noise = (numpy(weight) for weight in path.weights(times))
    assert image[0] == 1 and noise[0] == 0
    assert image[-1] < 0.02 and noise[-1] > 0.99
    assert (np.diff(image) < 0).all() and (np.diff(noise) > 0).all()
    # The target is what the samplers go along: x moves to the image from any time.
    x, z = rng.standard_normal((2, 3, 1))
    if name == "flow":
        np.testing.assert_allclose(0.3 * x + 0.7 * z - 0.7 * path.target(x, z), x)
    else:
        np.testing.assert_allclose(image**2 + noise**2, 1, atol=1e-6)
        np.testing.assert_array_equal(path.target(x, z), z)
