import keras
import numpy as np
import pytest
from keras_checks import check_config_round_trip, numpy, randomize

from sweet_keras.layers.kronecker_template import KERNEL_TYPES, KroneckerTemplate


def make(*size, **options):
    layer = KroneckerTemplate(*size, **options)
    layer.build()
    return layer


def kernels_by_kron(layer):
    """W by its definition, one np.kron after another, in float64."""
    made = {}
    for kind in KERNEL_TYPES:
        templates = numpy(layer.template_variables[kind]).astype("float64") / 3
        scalers = numpy(layer.scaler_variables[kind]).astype("float64")
        scalers /= np.sqrt(len(templates))
        made[kind] = [
            sum(np.kron(scalers[i, :, :, t], templates[t]) for t in range(len(templates)))
            for i in range(layer.depth)
        ]
    return {
        "qkv/kernel": np.concatenate([made[kind] for kind in ("query", "key", "value")], axis=2),
        **{f"{kind}/kernel": np.array(made[kind]) for kind in ("output", "mlp_in", "mlp_out")},
    }


@pytest.mark.parametrize("side, templates", [(None, None), (2, 3), (6, (1, 2, 3, 4, 5, 6))])
def test_equals_the_formula(rng, side, templates):
    layer = make(2, 3, 4, side=side, templates=templates)
    randomize(layer, rng)
    made, expected = layer(), kernels_by_kron(layer)
    assert set(made) == set(layer.names) == set(expected)
    for name, kernel in expected.items():
        np.testing.assert_allclose(numpy(made[name]), kernel, atol=1e-5)


@pytest.mark.parametrize("side", [8, 24, 48])
def test_starts_with_the_variance_of_a_plain_network(side):
    keras.utils.set_random_seed(0)
    layer = make(6, 6, 8, side=side)
    made = {name: numpy(kernel) for name, kernel in layer().items()}
    assert made["mlp_in/kernel"].shape == (6, 48, 192)
    variances = {"qkv": 1 / 48, "output": 1 / 48, "mlp_in": 0.4 / 48, "mlp_out": 0.4 / 48}
    for name, variance in variances.items():
        np.testing.assert_allclose(made[f"{name}/kernel"].var(), variance, rtol=0.15)
    # A random matrix of this variance has the largest singular value sqrt(rows) + sqrt(columns) in
    # units of the deviation.
    for kernel in np.concatenate(np.split(made["qkv/kernel"], 3, axis=2)):
        assert np.linalg.norm(kernel, 2) / 2 < 1.6


def test_by_default_templates_hold_what_a_tucker_core_holds():
    layer = make(6, 6, 8, side=24)
    stored = sum(int(np.prod(v.shape)) for v in layer.template_variables.values())
    assert stored == 36 * 48 * 48
    assert layer.templates == (12, 12, 12, 12, 48, 48)


def test_frozen_templates():
    layer = make(2, 3, 4, train_templates=False)
    assert {v.name.split("_")[-1] for v in layer.trainable_variables} == {"scaler"}
    assert len(layer.non_trainable_variables) == len(KERNEL_TYPES)


def test_configuration():
    check_config_round_trip(make(2, 3, 4, side=6, templates=2, train_templates=False))


def test_errors():
    with pytest.raises(ValueError, match=r"a divisor of the width, 12\. Received: 5"):
        KroneckerTemplate(2, 3, 4, side=5)
    for wrong in (0, [1, 2], (1, 1, 1, 1, 1, 1.5)):
        with pytest.raises(ValueError, match=r"one for each of query, key, .* Received"):
            KroneckerTemplate(2, 3, 4, templates=wrong)
