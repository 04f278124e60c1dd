"""Ranks chosen from singular values, against trying all of them."""

import itertools

import numpy as np
import pytest

from sweet_keras.core.hooi import hooi, hosvd
from sweet_keras.core.rank_choice import (
    factor_parameters,
    ranks_for_energy,
    ranks_for_parameters,
)

LENGTHS = (6, 5, 4)


@pytest.fixture
def energies(rng):
    total = 10.0
    axes = [np.sort(rng.exponential(size=n) ** 3)[::-1] for n in LENGTHS]
    return [total * axis / axis.sum() for axis in axes]


def all_ranks(energies):
    """Every triple with the share that is missed at most, and its parameters."""
    for ranks in itertools.product(*(range(1, n + 1) for n in LENGTHS)):
        missed = sum(axis[rank:].sum() for axis, rank in zip(energies, ranks, strict=True)) / 10
        stored = int(np.prod(ranks)) + sum(n * r for n, r in zip(LENGTHS, ranks, strict=True))
        yield ranks, missed, stored


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.8, 0.95, 0.999])
def test_the_fewest_parameters_that_keep_the_energy(energies, kept):
    ranks = ranks_for_energy(energies, kept)
    fits = [(stored, r) for r, missed, stored in all_ranks(energies) if missed <= 1 - kept]
    assert factor_parameters(LENGTHS, ranks) == min(fits)[0]
    assert ranks in [r for _, r in fits]


@pytest.mark.parametrize("budget", [20, 40, 80, 120, 10_000])
def test_the_most_energy_within_a_budget(energies, budget):
    ranks = ranks_for_parameters(energies, budget)
    fits = {r: missed for r, missed, stored in all_ranks(energies) if stored <= budget}
    assert factor_parameters(LENGTHS, ranks) <= budget
    np.testing.assert_allclose(fits[ranks], min(fits.values()), atol=1e-12)


def test_all_energy_needs_all_ranks(energies):
    assert ranks_for_energy(energies, 1.0) == LENGTHS
    assert ranks_for_energy([np.array([3.0, 1.0, 0.0])] * 3, 1) == (2, 2, 2)


def test_the_energy_is_really_kept(rng):
    parts = [rng.normal(size=(6, 5, 4)).astype("float32").cumsum(axis=0)]
    axes = hosvd(parts)
    for kept in (0.6, 0.9, 0.99):
        ranks = ranks_for_energy([axis.energies for axis in axes], kept)
        assert hooi(parts, ranks, axes).kept >= kept


@pytest.mark.parametrize("kept", [0, 0.0, -0.1, 1.1, float("nan"), True, "0.9", None])
def test_a_share_that_is_none_is_refused(energies, kept):
    with pytest.raises(ValueError, match=r"`energy` must be in \(0, 1\]\. Received: "):
        ranks_for_energy(energies, kept)


def test_too_small_a_budget_is_refused(energies):
    with pytest.raises(ValueError, match=r"`max_parameters` must leave room.* 16 numbers"):
        ranks_for_parameters(energies, 15)
    assert ranks_for_parameters(energies, 16) == (1, 1, 1)
