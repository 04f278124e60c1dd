import numpy as np
import pytest

import sweet_keras as sk
from sweet_keras.runs.classification import Classification
from sweet_keras.runs.shared_model import SharedModel
from sweet_keras.runs.training import adamw

pytestmark = pytest.mark.keras


def test_methods_in_one_model_do_not_see_each_other(rng):
    """Starting again gives what a first start gives, whatever ran between."""
    vit = sk.ViTBackbone("L1H1", image_shape=(8, 8, 1), patch_size=4, head_dim=4)
    weights = vit.get_weights()
    other = [array + 0.1 for array in weights]
    images = rng.integers(0, 255, (8, 8, 8, 1)).astype("uint8")
    labels = rng.integers(0, 3, 8).astype("int32")
    shared = SharedModel(
        Classification(), vit, ("a", "b", "c"), (8, 8, 1), adamw(0.01, 4, 0.25, 0.05)
    )

    def batches():
        while True:
            yield images, labels

    def train(start, seed):
        shared.start(start, seed)
        curve = shared.fit(batches(), steps=4, points=2, measure=lambda model: 0.5)
        assert curve.steps == [2, 4] and curve.accuracies == [0.5, 0.5] and curve.seconds > 0
        return shared.model.get_weights(), curve.losses

    first, losses = train(weights, seed=1)
    different, _ = train(other, seed=2)
    again, same_losses = train(weights, seed=1)
    assert losses == same_losses
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert any(np.abs(a - b).max() > 1e-3 for a, b in zip(first, different, strict=True))
