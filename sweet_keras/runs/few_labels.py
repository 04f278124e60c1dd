"""Learning from few labels: the same number of each class."""

import numpy as np

from sweet_keras.data import Source, Subset


def few_labels(source: Source, count: int, seed: int = 0) -> Subset:
    """Draws records evenly over the classes.

    Each class gets the same number; where a class runs out, and for the remainder, the others
    get one more each in turn.

    Args:
        source: Labelled records.
        count: Records to draw.
        seed: Seed of the draw.

    Returns:
        The records, in the order of the source.

    Raises:
        ValueError: If the source has no labels, or fewer records than `count`.
    """
    if source.labels is None:
        raise ValueError(f"Labels are needed to learn from. Received: {source!r} without labels")
    if not 0 < count <= len(source):
        raise ValueError(
            f"The number of labels must be from 1 to {len(source)}, all there are. "
            f"Received: {count}"
        )
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(source))
    labels = np.asarray(source.labels)[order]
    # Rank of each record within its class: sorting by it takes the classes in turn.
    rank = np.empty(len(order), int)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        rank[members] = np.arange(len(members))
    chosen = order[np.argsort(rank, kind="stable")[:count]]
    return Subset(source, np.sort(chosen))
