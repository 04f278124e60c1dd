import numpy as np
import pytest

from sweet_keras.core.kronecker import kronecker_sum, template_counts


@pytest.mark.parametrize("shape", [(3, 2, 5, 4), (1, 1, 1, 1), (2, 3, 1, 6)])
def test_equals_np_kron(rng, shape):
    scalers, templates = rng.standard_normal(shape), rng.standard_normal((shape[-1], 3, 3))
    made = kronecker_sum(scalers, templates)
    for layer in range(shape[0]):
        kernel = sum(np.kron(scalers[layer, :, :, t], templates[t]) for t in range(shape[-1]))
        np.testing.assert_allclose(made[layer], kernel, atol=1e-12)


def test_counts_are_those_of_a_tucker_core():
    square, wide = template_counts(6, 2, 24, 4)  # L6, D 48
    assert (square, wide) == (12, 48)
    assert (4 * square + 2 * wide) * 24**2 == 36 * 48 * 48
    assert template_counts(6, 6, 8, 4) == (32, 32)  # 64 templates of side 8 would be a basis
    assert template_counts(1, 1, 8, 4) == (1, 2)
