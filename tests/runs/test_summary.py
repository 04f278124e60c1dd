import numpy as np
import pytest
from scipy import stats

from sweet_keras.runs.results_table import Row
from sweet_keras.runs.summary import Summary, tasks_of


def rows(method, size, accuracies, **changes):
    fields = {
        "dataset": "photos",
        "labels": 100,
        "learning_rate": 1e-3,
        "steps_to_random": 20,
        "pretrain_seconds": 100.0,
        "adapt_seconds": 2.0,
        "finetune_seconds": 3.0,
        "stored_parameters": 1000,
    }
    return [
        Row(**{**fields, **changes}, method=method, size=size, seed=seed, accuracy=accuracy)
        for seed, accuracy in enumerate(accuracies)
    ]


@pytest.fixture
def task():
    return [
        *rows("xavier", "L6H6", [50.0, 52.0], pretrain_seconds=0.0, stored_parameters=0),
        *rows("xavier", "L3H3", [40.0, 42.0], pretrain_seconds=0.0, stored_parameters=0),
        *rows("direct", "L6H6", [70.0, 72.0], pretrain_seconds=90.0, stored_parameters=700),
        *rows("direct", "L3H3", [60.0, 62.0], pretrain_seconds=30.0, stored_parameters=200),
        *rows("prefix", "L6H6", [59.0, 59.0]),
        *rows("prefix", "L3H3", [57.0, 51.0]),
        *rows("sweet_adapt", "L6H6", [61.0, 58.0]),
        *rows("sweet_adapt", "L3H3", [55.0, 56.0]),
        *rows("sweet_adapt", "L3H4", [56.0, 57.0]),
        *rows("sweet_adapt:depth", "L3H4", [58.0, 58.0]),
    ]


def test_order_and_sizes_of_the_average(task):
    summary = Summary(task)
    assert summary.sizes == ["L3H3", "L3H4", "L6H6"]
    assert summary.methods == ["xavier", "prefix", "direct", "sweet_adapt", "sweet_adapt:depth"]
    # At L3H4 not all methods were run; variants are not counted.
    assert summary.averaged == ["L3H3", "L6H6"]
    assert summary.averages("sweet_adapt") == {0: 58.0, 1: 57.0}
    assert summary.averages("sweet_adapt:depth") == {}


def test_means_and_the_best(task):
    summary = Summary(task)
    assert summary.mean("prefix", "L3H3") == 54.0
    assert summary.deviation("prefix", "L3H3") == pytest.approx(np.std([57, 51], ddof=1))
    assert summary.mean("prefix", "L3H4") is summary.deviation("prefix", "L3H4") is None
    assert [summary.best(size) for size in summary.sizes] == [
        "sweet_adapt",
        "sweet_adapt:depth",
        "sweet_adapt",
    ]
    assert summary.best("L3H4", variants=False) == "sweet_adapt"
    assert summary.best() == "sweet_adapt" and summary.best_other() == "prefix"


def test_differences(task):
    summary = Summary(task)
    found = summary.difference("sweet_adapt", "prefix", "L3H3")
    test = stats.ttest_rel([55, 56], [57, 51]).confidence_interval()
    assert (found.mean, found.low, found.high) == pytest.approx((1.5, *test))
    found = summary.averaged_difference("sweet_adapt", "prefix")
    test = stats.ttest_rel([58, 57], [58, 55]).confidence_interval()
    assert (found.mean, found.low, found.high) == pytest.approx((1.0, *test))
    assert summary.averaged_difference("sweet_adapt", "sweet_adapt:depth") is None
    assert summary.difference("sweet_adapt:depth", "prefix", "L3H4") is None


def test_direct_pays_for_each_size_and_others_once(task):
    summary = Summary(task)
    direct, ours = summary.cost("direct"), summary.cost("sweet_adapt", ["L3H3", "L6H6"])
    assert (direct.pretrain_seconds, direct.stored_parameters) == (120.0, 900)
    assert (ours.pretrain_seconds, ours.stored_parameters) == (100.0, 1000)
    assert ours.adapt_seconds == 4.0 and summary.cost("sweet_adapt").adapt_seconds == 6.0


def test_seconds_of_a_busy_machine_do_not_count(task):
    busy = [*task, *rows("direct", "L6H6", [71.0], pretrain_seconds=900.0, adapt_seconds=80.0)]
    assert Summary(busy).cost("direct") == Summary(task).cost("direct")


@pytest.mark.parametrize(("steps", "median"), [((10, 20, None), 20), ((10, None, None), None)])
def test_a_start_that_never_gets_there_counts_as_slow(steps, median):
    table = [
        rows("prefix", f"L{n}H1", [50.0], steps_to_random=s)[0] for n, s in enumerate(steps, 1)
    ]
    assert Summary(table).cost("prefix").steps_to_random == median


def test_tasks_are_kept_apart(task):
    table = [
        *task,
        *rows("xavier", "L3H3", [10.0], labels=50),
        *rows("xavier", "L1H1", [1.0], dataset="a"),
    ]
    tasks = tasks_of(table)
    assert [(task.dataset, task.labels) for task in tasks] == [
        ("a", 100),
        ("photos", 50),
        ("photos", 100),
    ]
    with pytest.raises(ValueError, match="must be those of one task"):
        Summary(table)
