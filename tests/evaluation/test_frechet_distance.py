"""The Fréchet distance against scipy's matrix root and against closed forms."""

import numpy as np
import pytest
import scipy.linalg

from sweet_keras.evaluation.frechet_distance import frechet_distance


def by_matrix_root(real, made):
    """The formula as it is published, with a general matrix root."""
    shift = real.mean(0) - made.mean(0)
    first, second = np.cov(real.T), np.cov(made.T)
    root = scipy.linalg.sqrtm(first @ second).real
    return shift @ shift + np.trace(first + second - 2 * root)


@pytest.mark.parametrize("dim, count", [(2, 50), (16, 500), (64, 300)])
def test_equals_the_published_formula(rng, dim, count):
    real = rng.standard_normal((count, dim)) @ rng.standard_normal((dim, dim))
    made = rng.standard_normal((count + 7, dim)) @ rng.standard_normal((dim, dim)) + rng.random(dim)
    assert frechet_distance(real, made) == pytest.approx(by_matrix_root(real, made), rel=1e-6)
    assert frechet_distance(made, real) == pytest.approx(frechet_distance(real, made), rel=1e-6)


def test_known_distances(rng):
    real = rng.standard_normal((400, 5))
    assert frechet_distance(real, real) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(real, real + 3) == pytest.approx(5 * 9, rel=1e-9)
    # Of one dimension: (m1 - m2)^2 + (s1 - s2)^2.
    column = real[:, :1]
    expected = (2 * column.std(ddof=1)) ** 2 + (2 * column.mean()) ** 2
    assert frechet_distance(column, 3 * column) == pytest.approx(expected, rel=1e-9)


def test_fewer_images_than_features(rng):
    """Singular covariances, float32 features: still finite, and not negative."""
    real, made = rng.standard_normal((2, 10, 64)).astype("float32")
    assert frechet_distance(real, real) == pytest.approx(0, abs=1e-5)
    assert frechet_distance(real, made) > 1


@pytest.mark.parametrize(
    "real, made, message",
    [
        (np.zeros((3, 2)), np.zeros((3, 4)), r"must have the shapes \(n, d\) and \(m, d\)"),
        (np.zeros(3), np.zeros((3, 4)), r"must have the shapes"),
        (np.zeros((1, 2)), np.zeros((3, 2)), r"at least 2 images each. Received: 1 and 3"),
        (np.full((3, 2), np.nan), np.zeros((3, 2)), r"must be finite"),
    ],
)
def test_bad_features(real, made, message):
    with pytest.raises(ValueError, match=message):
        frechet_distance(real, made)
