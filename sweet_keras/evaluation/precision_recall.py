"""Improved precision and recall of generated images."""

from __future__ import annotations

import numpy as np

from sweet_keras.evaluation.check_features import check_features

_ROWS = 1024  # of a table of distances at a time


def precision_recall(
    real: np.ndarray, made: np.ndarray, neighbours: int = 3
) -> tuple[float, float]:
    """How many generated images lie among real ones, and the other way round.

    A set of images stands for all points that are no farther from one of them than that one's
    k-th nearest neighbour in the set. Precision is the share of the generated images within what
    the real ones stand for, recall the share of the real images within what the generated ones do.

    Args:
        real: (n, d), features of real images.
        made: (m, d), features of generated images.
        neighbours: k.

    Returns:
        Precision and recall, each in [0, 1].

    Raises:
        ValueError: If these are no features of one kind, or of not more than k images.

    Reference:
        Kynkäänniemi et al., Improved Precision and Recall Metric for Assessing Generative Models,
        1904.06991.
    """
    if type(neighbours) is not int or neighbours < 1:
        raise ValueError(f"`neighbours` must be a positive integer. Received: {neighbours!r}")
    real, made = check_features(real, made, least=neighbours + 1)
    return _share(made, real, neighbours), _share(real, made, neighbours)


def _share(points: np.ndarray, reference: np.ndarray, neighbours: int) -> float:
    """Share of the points within the balls of the reference."""
    radii = np.concatenate(
        # Of a point to itself the distance is 0, and the k-th nearest other one is at place k.
        [np.partition(rows, neighbours, axis=1)[:, neighbours] for rows in _squares(reference)]
    )
    inside = [(rows <= radii).any(axis=1) for rows in _squares(points, reference)]
    return float(np.concatenate(inside).mean())


def _squares(points: np.ndarray, reference: np.ndarray | None = None):
    """Squared distances (rows, m), some rows at a time."""
    others = points if reference is None else reference
    lengths = (others**2).sum(axis=1)
    for start in range(0, len(points), _ROWS):
        rows = points[start : start + _ROWS]
        squares = (rows**2).sum(axis=1)[:, None] - 2 * rows @ others.T + lengths
        if reference is None:
            squares[np.arange(len(rows)), np.arange(start, start + len(rows))] = 0.0
        yield squares
