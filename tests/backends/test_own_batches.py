"""Dealing the rows of whole batches to the devices of a process."""

import numpy as np
import pytest
from sweet_keras.backends.own_batches import (
    Batches,
    OwnRows,
    batch_size_for,
    own_fit_arguments,
)
from sweet_keras.backends.rows import Rows, held_rows, holding


class TwoOfThree:
    """A process with the second and the third of three devices."""

    count = 3

    def deal(self, total):
        if total < 3:
            raise ValueError("too few")
        return [slice(1, None, 3), slice(2, None, 3)]

    def own_batches(self, batch):
        return [tuple(part[first::2] for part in batch) for first in range(2)]


GIVEN = {
    "y": None,
    "sample_weight": None,
    "batch_size": 7,
    "shuffle": False,
    "steps_per_epoch": None,
    "validation_split": 0.0,
    "validation_data": None,
    "validation_batch_size": None,
    "validation_steps": None,
}


def test_arrays_are_dealt_like_cards_in_each_pass():
    x = np.arange(17)
    given = own_fit_arguments({**GIVEN, "x": x, "y": -x}, TwoOfThree(), seed=0)
    assert (given["steps_per_epoch"], given["y"], given["batch_size"]) == (3, None, None)
    batches = iter(given["x"])
    once = [next(batches) for _ in range(6)]
    assert [part.tolist() for part, _ in once] == [[1, 4], [2, 5], [8, 11], [9, 12], [15], [16]]
    assert all((labels == -part).all() for part, labels in once)
    assert next(batches)[0].tolist() == [1, 4]
    assert next(iter(given["x"]))[0].tolist() == [1, 4]


def test_a_seed_decides_an_order_of_its_own_for_each_pass():
    options = {"y": None, "sample_weight": None, "batch_size": 9, "devices": TwoOfThree()}
    one, same, other = (iter(Batches(np.arange(9), seed=s, **options)) for s in (1, 1, 2))
    passes = [np.concatenate([next(one)[0], next(one)[0]]) for _ in range(2)]
    assert sorted(passes[0]) != sorted(passes[1])  # other rows fall to these devices
    assert (np.concatenate([next(same)[0], next(same)[0]]) == passes[0]).all()
    assert (np.concatenate([next(other)[0], next(other)[0]]) != passes[0]).any()


def test_a_data_set_that_is_read_once_keeps_its_first_batch():
    batches = Batches((np.arange(6) + 10 * k for k in range(3)), None, None, 0, TwoOfThree())
    assert batches.first()[0].tolist() == [1, 4]
    assert next(iter(batches))[0].tolist() == [1, 4]
    assert [part.tolist() for (part,) in batches] == [
        [1, 4], [2, 5], [11, 14], [12, 15], [21, 24], [22, 25]
    ]  # fmt: skip


def test_own_rows_have_been_dealt_already():
    source = OwnRows([(np.array([1, 2, 4, 5]),)])
    batches = iter(Batches(source, None, None, None, TwoOfThree()))
    assert [next(batches)[0].tolist() for _ in range(2)] == [[1, 4], [2, 5]]


def test_what_cannot_be_dealt_is_refused():
    with pytest.raises(ValueError, match="too few"):  # 15 = 7 + 7 + 1
        own_fit_arguments({**GIVEN, "x": np.arange(15)}, TwoOfThree(), seed=0)
    with pytest.raises(ValueError, match=r"`steps_per_epoch` must be given with a data set"):
        own_fit_arguments({**GIVEN, "x": iter([np.arange(7)])}, TwoOfThree(), seed=0)
    with pytest.raises(ValueError, match=r"`validation_split` must be 0 on several devices"):
        given = {**GIVEN, "x": np.arange(9), "validation_split": 0.5}
        own_fit_arguments(given, TwoOfThree(), seed=0)


@pytest.mark.parametrize("count", [3, 13, 16, 100])
@pytest.mark.parametrize("devices", [2, 3])
def test_what_is_measured_leaves_no_device_without_rows(count, devices):
    size = batch_size_for(count, 4, devices)
    assert count % size == 0 or count % size >= devices
    assert batch_size_for(12, 4, devices) == 4


def test_rows_of_all_devices_are_all_rows(rng):
    total, first = int(rng.integers(8, 40)), int(rng.integers(0, 8))
    parts = [Rows(index, 5, total) for index in range(5)]
    assert sum(part.among_first(total) for part in parts) == total
    for part in parts:
        own = np.arange(total)[part.index :: part.count]
        assert part.among_first(first) == (own < first).sum()


def test_rows_are_held_for_a_step():
    with holding(Rows(0, 2, 4)):
        with holding(Rows(1, 2, 8)):
            assert held_rows().total == 8
        assert held_rows().total == 4
    assert held_rows() is None
