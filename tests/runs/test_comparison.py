import numpy as np
import pytest
from scipy import stats

from sweet_keras.runs.comparison import compare, critical_t, methods_of, sizes_of
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


@pytest.mark.parametrize("degrees", [*range(1, 40), 100, 1000])
def test_critical_t(degrees):
    expected = stats.t.ppf(0.975, degrees)
    assert expected - 0.01 < critical_t(degrees) < expected * 1.01


@pytest.mark.parametrize("count", [2, 3, 5, 30])
@pytest.mark.parametrize("shift", [-0.05, -0.01, 0.0, 0.01, 0.05])
def test_verdicts_are_those_of_a_t_test(rng, count, shift):
    for _ in range(20):
        random = 0.5 + 0.01 * rng.normal(size=count)
        sliced = 0.5 + shift + 0.01 * rng.normal(size=count)
        cells = compare([*trials("L1H1", "random", random), *trials("L1H1", "slice", sliced)])
        test = stats.ttest_ind(sliced, random)
        assert cells[1].difference == pytest.approx(np.mean(sliced) - np.mean(random))
        if 0.045 < test.pvalue < 0.055:
            continue
        clear = "better" if test.statistic > 0 else "worse"
        assert cells[1].verdict == (clear if test.pvalue < 0.05 else "no clear difference")


def test_mean_and_deviation(rng):
    accuracies = rng.random(4)
    (cell,) = compare(trials("L1H1", "slice", accuracies))
    assert cell.mean == pytest.approx(np.mean(accuracies))
    assert cell.deviation == pytest.approx(np.std(accuracies, ddof=1))
    assert cell.difference is None and cell.verdict is None


def test_one_seed_allows_no_verdict():
    cells = compare([*trials("L1H1", "random", [0.1]), *trials("L1H1", "slice", [0.9])])
    assert cells[1].difference == pytest.approx(0.8)
    assert cells[1].verdict is None and cells[1].deviation is None


def test_equal_accuracies_do_not_differ():
    cells = compare([*trials("L1H1", "random", [0.5] * 3), *trials("L1H1", "slice", [0.5] * 3)])
    assert cells[1].verdict == "no clear difference"


def test_order():
    mixed = [
        *trials("L12H3", "wave", [0.1], parameters=9),
        *trials("L3H12", "adapt", [0.1], parameters=9),
        *trials("L3H3", "random", [0.1], parameters=5),
        *trials("L3H3", "slice", [0.1], parameters=5),
    ]
    assert sizes_of(mixed) == ["L3H3", "L3H12", "L12H3"]
    assert methods_of(mixed) == ["random", "slice", "adapt", "wave"]
