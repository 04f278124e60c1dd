"""The order of the records in each epoch."""

from __future__ import annotations

import numpy as np

# What a stream of random numbers is for, so that no two uses share one.
ORDER, AUGMENT = 0, 1


def generator(seed: int, purpose: int, index: int) -> np.random.Generator:
    """An independent stream of random numbers for every (seed, purpose, index)."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, index)))


class EpochOrder:
    """A permutation of the records for each epoch, from the seed alone.

    Args:
        records: Number of records.
        shuffle: Whether to permute at all.
        seed: Seed; each (seed, epoch) has its own permutation.
    """

    def __init__(self, records: int, shuffle: bool, seed: int):
        self.records = records
        self.shuffle = shuffle
        self.seed = seed
        self._recent: dict[int, np.ndarray] = {}

    def __call__(self, epoch: int) -> np.ndarray:
        """Positions of the records in the order of this epoch, `(records,)`."""
        if not self.shuffle:
            epoch = 0
        order = self._recent.get(epoch)
        if order is None:
            order = np.arange(self.records)
            if self.shuffle:
                order = generator(self.seed, ORDER, epoch).permutation(self.records)
            # Threads that prepare batches ahead straddle two epochs; more need not be kept.
            # Replaced as a whole, since another thread may be reading.
            kept = {key: value for key, value in self._recent.items() if key == epoch - 1}
            self._recent = {**kept, epoch: order}
        return order
