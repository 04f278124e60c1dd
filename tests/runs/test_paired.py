import numpy as np
import pytest
from scipy import stats

from sweet_keras.runs.paired import averaged_difference, paired_difference


def seeds(values):
    return dict(enumerate(values))


@pytest.mark.parametrize("count", [2, 3, 5, 30])
def test_the_interval_is_that_of_a_paired_t_test(rng, count):
    values, others = rng.random(count), rng.random(count)
    found = paired_difference(seeds(values), seeds(others))
    interval = stats.ttest_rel(values, others).confidence_interval(0.95)
    assert found.mean == pytest.approx(np.mean(values - others))
    assert (found.low, found.high) == pytest.approx(tuple(interval))
    assert found.seeds == count


@pytest.mark.parametrize("sizes", [1, 4])
def test_the_average_over_sizes_is_a_test_of_averages(rng, sizes):
    values, others = rng.random((sizes, 5)), rng.random((sizes, 5))
    found = averaged_difference([*map(seeds, values)], [*map(seeds, others)])
    test = stats.ttest_rel(values.mean(axis=0), others.mean(axis=0))
    assert (found.low, found.high) == pytest.approx(tuple(test.confidence_interval(0.95)))
    clear = "better" if test.statistic > 0 else "worse"
    assert found.verdict == (clear if test.pvalue < 0.05 else "no clear difference")


def test_seeds_are_matched_by_number_not_by_place():
    found = paired_difference({3: 0.5, 1: 0.2, 7: 9.0}, {1: 0.1, 3: 0.4, 2: 9.0})
    assert found.mean == pytest.approx(0.1) and found.seeds == 2


def test_a_seed_that_one_size_lacks_is_left_out():
    found = averaged_difference([{0: 1.0, 1: 5.0}, {0: 2.0}], [{0: 0.0, 1: 0.0}, {0: 0.0, 1: 0.0}])
    assert found.mean == 1.5 and found.seeds == 1


def test_one_seed_has_no_interval():
    found = paired_difference({0: 0.9}, {0: 0.1})
    assert found.mean == pytest.approx(0.8)
    assert found.margin is found.low is found.high is found.verdict is None


def test_nothing_shared():
    assert paired_difference({0: 0.9}, {1: 0.1}) is None
    assert averaged_difference([], []) is None
