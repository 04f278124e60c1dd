import numpy as np
import pytest
from scipy import stats

from sweet_keras.runs.comparison import baseline_of, compare, methods_of, sizes_of
from sweet_keras.runs.measurements import Trial


def trials(size, method, accuracies, parameters=1):
    return [
        Trial(
            method=method,
            size=size,
            seed=seed,
            accuracy=accuracy,
            steps=1,
            learning_rate=1.0,
            seconds=2.0,
            parameters=parameters,
        )
        for seed, accuracy in enumerate(accuracies)
    ]


@pytest.mark.parametrize("count", [2, 3, 5, 30])
@pytest.mark.parametrize("shift", [-0.05, -0.01, 0.0, 0.01, 0.05])
def test_verdicts_are_those_of_a_paired_t_test(rng, count, shift):
    for _ in range(20):
        common = 0.02 * rng.normal(size=count)
        random = 0.5 + common + 0.01 * rng.normal(size=count)
        sliced = 0.5 + shift + common + 0.01 * rng.normal(size=count)
        cells = compare([*trials("L1H1", "xavier", random), *trials("L1H1", "sweet_slice", sliced)])
        test = stats.ttest_rel(sliced, random)
        assert cells[1].difference == pytest.approx(np.mean(sliced) - np.mean(random))
        clear = "better" if test.statistic > 0 else "worse"
        assert cells[1].verdict == (clear if test.pvalue < 0.05 else "no clear difference")


def test_mean_and_deviation(rng):
    accuracies = rng.random(4)
    (cell,) = compare(trials("L1H1", "sweet_slice", accuracies))
    assert cell.mean == pytest.approx(np.mean(accuracies))
    assert cell.deviation == pytest.approx(np.std(accuracies, ddof=1))
    assert cell.difference is None and cell.verdict is None


def test_one_seed_allows_no_verdict():
    cells = compare([*trials("L1H1", "xavier", [0.1]), *trials("L1H1", "sweet_slice", [0.9])])
    assert cells[1].difference == pytest.approx(0.8)
    assert cells[1].verdict is None and cells[1].deviation is None


def test_equal_accuracies_do_not_differ():
    cells = compare(
        [*trials("L1H1", "xavier", [0.5] * 3), *trials("L1H1", "sweet_slice", [0.5] * 3)]
    )
    assert cells[1].verdict == "no clear difference"


def test_order():
    mixed = [
        *trials("L12H3", "brand_new", [0.1], parameters=7),
        *trials("L3H12", "sweet_adapt", [0.1], parameters=9),
        *trials("L3H3", "xavier", [0.1], parameters=5),
        *trials("L3H3", "sweet_slice", [0.1], parameters=5),
    ]
    assert sizes_of(mixed) == ["L3H3", "L12H3", "L3H12"]
    assert methods_of(mixed) == ["xavier", "sweet_slice", "sweet_adapt", "brand_new"]
    more = ["sweet_adapt:ranks_half", "direct", "prefix", "random", "another"]
    mixed += [trial for name in more for trial in trials("L1H1", name, [0.1])]
    assert methods_of(mixed) == [
        "random",
        "xavier",
        "prefix",
        "direct",
        "sweet_slice",
        "sweet_adapt",
        "another",
        "brand_new",
        "sweet_adapt:ranks_half",
    ]


def test_the_baseline_is_the_better_of_two_at_each_size():
    mixed = [
        *trials("L1H1", "random", [0.5, 0.6]),
        *trials("L1H1", "xavier", [0.7, 0.3]),
        *trials("L1H1", "prefix", [0.8, 0.4]),
        *trials("L2H1", "random", [0.5], parameters=2),
        *trials("L2H1", "xavier", [0.6], parameters=2),
        *trials("L3H1", "prefix", [0.6], parameters=3),
    ]
    sizes = ("L1H1", "L2H1", "L3H1")
    assert [baseline_of(mixed, size) for size in sizes] == ["random", "xavier", None]
    differences = {(cell.size, cell.method): cell.difference for cell in compare(mixed)}
    assert differences["L1H1", "random"] is None
    assert differences["L1H1", "xavier"] == pytest.approx(-0.05)
    assert differences["L1H1", "prefix"] == pytest.approx(0.05)
    assert differences["L2H1", "random"] == pytest.approx(-0.1)
    assert differences["L3H1", "prefix"] is None


def test_only_shared_seeds_are_paired():
    first = trials("L1H1", "xavier", [0.1, 0.2, 0.3])
    other = trials("L1H1", "sweet_slice", [0.9, 0.5, 0.6, 0.9])[1:]
    cell = compare([*first, *other])[1]
    assert cell.difference == pytest.approx(0.3) and cell.against.seeds == 2
