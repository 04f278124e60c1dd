import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweet_keras.data import ArraySource
from sweet_keras.runs.few_labels import few_labels


def source(labels):
    return ArraySource(np.zeros((len(labels), 2, 2, 1), "uint8"), np.asarray(labels))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=40), st.data(), st.integers(0, 3))
def test_classes_are_even_as_far_as_they_go(labels, data, seed):
    count = data.draw(st.integers(1, len(labels)))
    few = few_labels(source(labels), count, seed)
    assert len(few) == count
    have, chosen = np.bincount(labels, minlength=5), np.bincount(few.labels, minlength=5)
    assert (chosen <= have).all()
    # A class has fewer than another one only if it has no more, or by the remainder.
    left = chosen < have
    if left.any():
        assert chosen.max() - chosen[left].min() <= 1


def test_seeds(rng):
    labelled = source(rng.integers(0, 3, 60))
    first, again, other = (few_labels(labelled, 12, seed).indices for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert set(first) != set(other)


@pytest.mark.parametrize("count", [0, 7])
def test_impossible_numbers(count):
    with pytest.raises(ValueError, match=f"from 1 to 6, all there are. Received: {count}"):
        few_labels(source([0, 1] * 3), count)


def test_no_labels():
    with pytest.raises(ValueError, match="without labels"):
        few_labels(ArraySource(np.zeros((2, 2, 2, 1), "uint8")), 1)
