import keras
import numpy as np
import pytest

from sweet_keras.models.kernel_muon import KernelMuon
from sweet_keras.models.skipping_optimizer import SkippingOptimizer

pytestmark = pytest.mark.keras


def trained(make, batches):
    """Weights and the optimizer after training on batches."""
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(2, kernel_initializer=keras.initializers.Ones())]
    )
    model.compile(make(), loss="mse")
    for x in batches:
        model.train_on_batch(x, np.ones((4, 2), "float32"))
    return model.get_weights(), model.optimizer


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_as_if_the_step_had_not_been(rng, value):
    batches = rng.normal(size=(4, 4, 3)).astype("float32")
    poisoned = batches.copy()
    poisoned[2, 1, 0] = value
    expected, plain = trained(lambda: keras.optimizers.AdamW(0.1), batches[[0, 1, 3]])
    weights, optimizer = trained(lambda: SkippingOptimizer(keras.optimizers.AdamW(0.1)), poisoned)
    for one, other in zip(weights, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    assert int(keras.ops.convert_to_numpy(optimizer.skipped)) == 1
    assert int(keras.ops.convert_to_numpy(optimizer.iterations)) == 3
    assert len(optimizer.variables) > len(plain.variables)


@pytest.mark.once
def test_config():
    optimizer = SkippingOptimizer(KernelMuon(0.25))
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    assert isinstance(again, SkippingOptimizer) and isinstance(again.inner_optimizer, KernelMuon)
    assert float(keras.ops.convert_to_numpy(again.learning_rate)) == 0.25
