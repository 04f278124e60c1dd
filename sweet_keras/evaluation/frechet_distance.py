"""The Fréchet distance between two sets of features."""

from __future__ import annotations

import numpy as np

from sweet_keras.evaluation.check_features import check_features


def frechet_distance(real: np.ndarray, made: np.ndarray) -> float:
    """Squared distance of two normal distributions with the means and covariances of the features.

    `|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))`, in float64. With the features of the Inception
    network of the literature this is the "FID"; with others it is not, and numbers of different
    features do not compare. It has a bias that falls with the number of images: compare at equal
    numbers only.

    Args:
        real: (n, d), features of real images.
        made: (m, d), features of generated images.

    Returns:
        0 for equal means and covariances, else more.

    Raises:
        ValueError: If these are no features of one kind, or of fewer than two images.

    Reference:
        Heusel et al., GANs Trained by a Two Time-Scale Update Rule, 1706.08500.
    """
    real, made = check_features(real, made, least=2)
    shift = real.mean(axis=0) - made.mean(axis=0)
    first, second = (np.atleast_2d(np.cov(features, rowvar=False)) for features in (real, made))
    # (S1 S2) has the eigenvalues of S1^(1/2) S2 S1^(1/2), which is symmetric.
    values, vectors = np.linalg.eigh(first)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    shared = np.linalg.eigvalsh(root @ second @ root)
    overlap = np.sqrt(np.maximum(shared, 0)).sum()
    distance = shift @ shift + np.trace(first) + np.trace(second) - 2 * overlap
    return max(float(distance), 0.0)  # rounding
