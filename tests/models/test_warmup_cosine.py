import keras
import numpy as np
import pytest

from sweet_keras.models.warmup_cosine import WarmupCosine


def expected(step, peak, steps, warmup):
    rise = warmup * steps
    progress = min(max((step - rise) / (steps - rise), 0), 1)
    return peak * (1 + np.cos(np.pi * progress)) / 2 * min(1, (step + 1) / max(rise, 1))


@pytest.mark.parametrize(("steps", "warmup"), [(1, 0.0), (10, 0.0), (20, 0.25), (7, 0.5)])
def test_values(steps, warmup):
    schedule = WarmupCosine(0.3, steps, warmup)
    got = [float(schedule(step)) for step in range(steps + 3)]
    wanted = [expected(step, 0.3, steps, warmup) for step in range(steps + 3)]
    np.testing.assert_allclose(got, wanted, atol=1e-6)
    assert got[0] > 0
    assert got[-1] == pytest.approx(0, abs=1e-7)


def test_serialises():
    schedule = WarmupCosine(0.3, 10, 0.1)
    config = keras.saving.serialize_keras_object(schedule)
    assert keras.saving.deserialize_keras_object(config).get_config() == schedule.get_config()


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"`steps` must be a positive integer\. Received: 0"):
        WarmupCosine(0.1, 0)
    with pytest.raises(ValueError, match="`warmup` must be in"):
        WarmupCosine(0.1, 3, 1.0)
