"""Differences of methods, paired by seed.

Fine-tunings with one seed share labels, order of the batches and last layer whatever the method, so
that much of the spread over seeds is common to both sides and cancels in the difference.
"""

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Literal

from scipy.special import stdtrit  # Student's t without the seconds that scipy.stats takes

Verdict = Literal["better", "worse", "no clear difference"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Difference:
    """A mean difference, in the unit of what was compared, with its 95 % confidence interval.

    Attributes:
        mean: Mean over the seeds.
        margin: Half the width of the interval, by Student's t; None with a single seed.
        seeds: Number of seeds both sides share.
    """

    mean: float
    margin: float | None
    seeds: int

    @property
    def low(self) -> float | None:
        """Lower end of the interval."""
        return None if self.margin is None else self.mean - self.margin

    @property
    def high(self) -> float | None:
        """Upper end of the interval."""
        return None if self.margin is None else self.mean + self.margin

    @property
    def verdict(self) -> Verdict | None:
        """Whether the interval leaves out zero, and on which side; None with a single seed.

        The same as a two-sided paired t-test at 5 %.
        """
        if self.margin is None:
            return None
        if abs(self.mean) <= self.margin:
            return "no clear difference"
        return "better" if self.mean > 0 else "worse"


def paired_difference(
    values: Mapping[int, float], others: Mapping[int, float]
) -> Difference | None:
    """The mean of `values` less `others`, over the seeds that both have.

    Args:
        values: One value for each seed.
        others: The same of what it is compared with.

    Returns:
        The difference, or None where no seed is shared.
    """
    shared = sorted(set(values) & set(others))
    return _difference([values[seed] - others[seed] for seed in shared])


def averaged_difference(
    values: Sequence[Mapping[int, float]], others: Sequence[Mapping[int, float]]
) -> Difference | None:
    """The mean over sizes of paired differences, with its interval over the seeds.

    For each seed the differences are averaged over the sizes first: one seed has the same labels
    at all sizes, so that sizes are no independent repetitions.

    Args:
        values: For each size one value for each seed.
        others: The same of what it is compared with, of the same sizes.

    Returns:
        The difference over the seeds that all sizes have on both sides, or None without any.
    """
    pairs = list(zip(values, others, strict=True))
    if not pairs:
        return None
    shared = sorted(set.intersection(*(set(side) for pair in pairs for side in pair)))
    return _difference(
        [statistics.fmean(one[seed] - other[seed] for one, other in pairs) for seed in shared]
    )


def _difference(differences: Sequence[float]) -> Difference | None:
    count = len(differences)
    if count == 0:
        return None
    margin = None
    if count > 1:
        error = statistics.stdev(differences) / math.sqrt(count)
        margin = float(stdtrit(count - 1, 0.975)) * error
    return Difference(mean=statistics.fmean(differences), margin=margin, seeds=count)
