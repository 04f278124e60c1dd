"""Setting records aside, for validation."""

from __future__ import annotations

import numpy as np

from sweet_keras.data.source import Source
from sweet_keras.data.subset import Subset


def holdout(source: Source, fraction: float, seed: int = 0) -> tuple[Subset, Subset]:
    """Splits a source in two, keeping the share of every class.

    Meant for choosing a learning rate or a method without looking at the test
    set. Without labels the records are drawn from all alike.

    Args:
        source: The source to split.
        fraction: Share of the records to set aside, strictly between 0 and 1.
            Of each class of n records, round(n · fraction) are drawn.
        seed: Seed of the draw.

    Returns:
        `(rest, held)`: two disjoint subsets that together are the source, each
        in the order of the source.

    Raises:
        ValueError: If `fraction` is out of range, or leaves either part empty.

    Example:
        ```python
        train, validation = holdout(open_source("fashion-mnist"), 0.1)
        ```
    """
    if not 0.0 < fraction < 1.0:
        raise ValueError(
            f"`fraction` must be strictly between 0 and 1. Received: fraction={fraction}"
        )
    labels = source.labels
    groups = np.zeros(len(source), np.int32) if labels is None else labels
    rng = np.random.default_rng(seed)
    chosen = np.zeros(len(source), bool)
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        chosen[rng.permutation(members)[: round(len(members) * fraction)]] = True
    if chosen.all() or not chosen.any():
        raise ValueError(
            "`fraction` must leave records in both parts. "
            f"Received: fraction={fraction} of {source!r}"
        )
    return Subset(source, np.flatnonzero(~chosen)), Subset(source, np.flatnonzero(chosen))
