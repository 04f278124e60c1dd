"""Precision and recall against loops over all pairs."""

import numpy as np
import pytest

from sweet_keras.evaluation import precision_recall as module
from sweet_keras.evaluation.precision_recall import precision_recall


def share(points, reference, k):
    """Share of the points in the ball of any reference point, pair by pair."""
    radii = []
    for i, point in enumerate(reference):
        others = [np.linalg.norm(point - other) for j, other in enumerate(reference) if j != i]
        radii.append(sorted(others)[k - 1])
    inside = [
        any(
            np.linalg.norm(point - centre) <= radius
            for centre, radius in zip(reference, radii, strict=True)
        )
        for point in points
    ]
    return sum(inside) / len(inside)


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("rows", [7, 1024])
def test_equals_loops(rng, k, rows, monkeypatch):
    monkeypatch.setattr(module, "_ROWS", rows)
    real = rng.standard_normal((40, 3))
    made = 1.2 * rng.standard_normal((55, 3)) + 1.0
    precision, recall = precision_recall(real, made, neighbours=k)
    assert precision == pytest.approx(share(made, real, k))
    assert recall == pytest.approx(share(real, made, k))
    assert 0 < min(precision, recall) < 1


def test_known_cases(rng):
    real = rng.standard_normal((50, 4))
    assert precision_recall(real, real) == (1.0, 1.0)
    assert precision_recall(real, real + 100) == (0.0, 0.0)
    # One mode of two: all that is made is real, half of what is real is made.
    two = np.concatenate([real, real + 100])
    precision, recall = precision_recall(two, real)
    assert (precision, recall) == (1.0, 0.5)


def test_bad_arguments(rng):
    with pytest.raises(ValueError, match=r"at least 4 images each. Received: 3 and 9"):
        precision_recall(np.zeros((3, 2)), np.zeros((9, 2)))
    with pytest.raises(ValueError, match=r"`neighbours` must be a positive integer. Received: 0"):
        precision_recall(np.zeros((3, 2)), np.zeros((9, 2)), neighbours=0)
