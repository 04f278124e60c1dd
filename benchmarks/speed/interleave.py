"""Timing two things in turns, and what the pairs say."""

import statistics
from collections.abc import Callable
from typing import NamedTuple


class Contest(NamedTuple):
    """What came out; `ratio` above 1: ours needs less."""

    ours: float  # median of the measured values, less is better
    peer: float
    ratio: float  # median of peer / ours over the pairs
    low: float  # its quartiles
    high: float


def in_turns(
    ours: Callable[[], float], peer: Callable[[], float], repeats: int
) -> list[tuple[float, float]]:
    """Measures A B, B A, A B ... so that what drifts hits both alike.

    Args:
        ours: Does the work once and returns what it took, such as seconds.
        peer: The same of the other.
        repeats: How many pairs.

    Returns:
        (ours, peer) of each pair.
    """
    pairs = []
    for turn in range(repeats):
        if turn % 2 == 0:
            a = ours()
            b = peer()
        else:
            b = peer()
            a = ours()
        pairs.append((a, b))
    return pairs


def judge(pairs: list[tuple[float, float]]) -> Contest:
    """Medians, and the quartiles of the ratio over the pairs.

    Raises:
        ValueError: If there is no pair.
    """
    if not pairs:
        raise ValueError("`pairs` must hold at least one pair. Received: []")
    ratios = sorted(peer / ours for ours, peer in pairs)
    low, high = ratios[0], ratios[-1]
    if len(ratios) > 2:
        low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return Contest(
        statistics.median(ours for ours, _ in pairs),
        statistics.median(peer for _, peer in pairs),
        statistics.median(ratios),
        low,
        high,
    )


def as_rates(pairs: list[tuple[float, float]], amount: float) -> tuple[float, float]:
    """Median `amount` per second of both, of pairs of seconds."""
    return (
        statistics.median(amount / ours for ours, _ in pairs),
        statistics.median(amount / peer for _, peer in pairs),
    )
