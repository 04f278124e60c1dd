import numpy as np
import pytest

from sweet_keras.core.blocks import Kernels
from sweet_keras.runs.spectrum import kernel_health, kernels_by_kind, singular_values, spectra


@pytest.mark.parametrize("shape", [(2, 6, 6), (3, 4, 16), (3, 16, 4)])
def test_singular_values(rng, shape):
    matrices = rng.normal(size=shape)
    expected = np.linalg.svd(matrices, compute_uv=False)
    np.testing.assert_allclose(singular_values(matrices), expected, atol=1e-6)


def test_kernels_by_kind(rng):
    qkv, output, mlp_in, mlp_out = (
        rng.normal(size=(2, *shape)) for shape in ((4, 12), (4, 4), (4, 16), (16, 4))
    )
    kernels = kernels_by_kind(Kernels(qkv, output, mlp_in, mlp_out))
    assert list(kernels) == ["query", "key", "value", "output", "mlp_in", "mlp_out"]
    np.testing.assert_array_equal(kernels["key"], qkv[:, :, 4:8])
    np.testing.assert_array_equal(kernels["mlp_out"], mlp_out)


def test_health(rng):
    orthogonal, _ = np.linalg.qr(rng.normal(size=(2, 8, 8)))
    layers = np.array([11.0, 0.5])[:, None, None]
    well, ill = kernel_health({"query": 2 * orthogonal, "key": layers * orthogonal})
    assert well.largest == pytest.approx(2) and well.median == pytest.approx(2) and not well.sick
    assert ill.largest == pytest.approx(11) and ill.sick
    assert ill.median == pytest.approx((11 + 0.5) / 2)


@pytest.mark.parametrize("dim", [1, 5, 200])
def test_spectra_are_short_and_keep_both_ends(rng, dim):
    matrices = rng.normal(size=(3, dim, dim))
    (part,) = spectra({"query": matrices}, "sweet_slice", "L3H1")
    part.check()
    mean = np.linalg.svd(matrices, compute_uv=False).mean(axis=0)
    assert len(part.values) == min(dim, 48)
    assert part.values[0] == pytest.approx(mean[0], abs=1e-5)
    assert part.values[-1] == pytest.approx(mean[-1], abs=1e-5)
