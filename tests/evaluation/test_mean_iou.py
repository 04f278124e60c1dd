"""The confusion matrix against a loop over the pixels."""

import numpy as np
import pytest

from sweet_keras.evaluation.mean_iou import ConfusionMatrix


def counted(truth, predicted, classes):
    """Pixel by pixel."""
    counts = [[0] * classes for _ in range(classes)]
    for true, found in zip(truth.ravel().tolist(), predicted.ravel().tolist(), strict=True):
        if true != 255:
            counts[true][found] += 1
    return np.array(counts)


def iou_of(name, truth, predicted):
    """From sets of the positions of the pixels that count."""
    kept = set(np.flatnonzero(truth != 255).tolist())
    there = set(np.flatnonzero(truth == name).tolist()) & kept
    found = set(np.flatnonzero(predicted == name).tolist()) & kept
    return len(there & found) / len(there | found) if there | found else np.nan


@pytest.mark.parametrize("classes", [1, 2, 7, 21, 200])
def test_against_loops(rng, classes):
    truth = rng.integers(0, classes, (5, 6, 7)).astype("uint8")
    truth[rng.random(truth.shape) < 0.2] = 255
    predicted = np.where(rng.random(truth.shape) < 0.5, truth, rng.integers(0, classes, (5, 6, 7)))
    predicted[truth == 255] = rng.integers(0, 300, (truth == 255).sum())  # counts for nothing
    matrix = ConfusionMatrix(classes)
    for start in range(0, 5, 2):
        matrix.add(truth[start : start + 2], predicted[start : start + 2])
    np.testing.assert_array_equal(matrix.counts, counted(truth, predicted, classes))
    expected = np.array([iou_of(name, truth, predicted) for name in range(classes)])
    np.testing.assert_allclose(matrix.iou, expected, rtol=1e-12)
    assert matrix.mean_iou == pytest.approx(np.nanmean(expected))
    kept = truth != 255
    assert matrix.pixel_accuracy == pytest.approx((truth == predicted)[kept].mean())


def test_known_answers():
    matrix = ConfusionMatrix(4)
    matrix.add(np.array([[0, 0, 1, 255]], "uint8"), np.array([[0, 1, 1, 3]]))
    matrix.add(np.array([2], "uint8"), np.array([0]))
    # 0: one of {0, 0, and the 2 taken for it}; 1: one of two; 2: never found; 3: nowhere.
    np.testing.assert_allclose(matrix.iou, [1 / 3, 1 / 2, 0, np.nan])
    assert matrix.mean_iou == pytest.approx((1 / 3 + 1 / 2 + 0) / 3)
    assert matrix.pixel_accuracy == 0.5


def test_a_class_that_is_predicted_only_counts_as_zero():
    matrix = ConfusionMatrix(3)
    matrix.add(np.array([0, 0, 0, 0]), np.array([0, 0, 0, 1]))
    np.testing.assert_allclose(matrix.iou, [3 / 4, 0, np.nan])
    assert matrix.mean_iou == pytest.approx(3 / 8)


def test_nothing_counted():
    matrix = ConfusionMatrix(2)
    matrix.add(np.full((2, 3), 255, "uint8"), np.zeros((2, 3), int))
    assert np.isnan(matrix.iou).all() and np.isnan(matrix.mean_iou)
    assert np.isnan(matrix.pixel_accuracy)


def test_another_value_can_be_ignored():
    matrix = ConfusionMatrix(3, ignored=-1)
    matrix.add(np.array([-1, 2]), np.array([0, 2]))
    assert matrix.counts.sum() == matrix.counts[2, 2] == 1


def test_the_counts_do_not_overflow():
    matrix = ConfusionMatrix(200)
    matrix.counts[199, 199] = 2**40
    matrix.add(np.full(1000, 199, "uint8"), np.full(1000, 199, "uint8"))
    assert matrix.counts[199, 199] == 2**40 + 1000


@pytest.mark.parametrize(
    "arguments", [{"classes": 0}, {"classes": 256}, {"classes": 5, "ignored": 0}]
)
def test_bad_construction(arguments):
    with pytest.raises(ValueError, match=r"`classes` must be positive.*Received: classes="):
        ConfusionMatrix(**arguments)


@pytest.mark.parametrize(
    ("truth", "predicted", "message"),
    [
        ([0, 3], [0, 0], r"`truth` must be in \[0, 3\).*Received: 0 to 3"),
        ([-1, 0], [0, 0], r"`truth` must be in \[0, 3\).*Received: -1 to 0"),
        ([0, 1], [0, 255], r"`predicted` must be in \[0, 3\).*Received: 0 to 255"),
        ([0, 1], [0.0, 1.0], "`predicted` must be integers. Received: dtype float64"),
        ([0, 1], [[0, 1]], r"same shape. Received: \(2,\) and \(1, 2\)"),
    ],
)
def test_bad_pixels_change_nothing(truth, predicted, message):
    matrix = ConfusionMatrix(3)
    with pytest.raises(ValueError, match=message):
        matrix.add(np.array(truth), np.array(predicted))
    assert matrix.counts.sum() == 0
