"""Random starts against their formulas."""

import numpy as np

import sweet_keras as sk
from sweet_keras.initialization.mimetic import mimetic
from sweet_keras.initialization.truncated_normal import truncated_normal


def network(size="L2H4", head_dim=16):
    return sk.ViTBackbone(size, image_shape=(8, 8, 1), patch_size=4, head_dim=head_dim)


def test_mimetic_products_are_near_the_identity():
    vit = network()
    before = vit.arrays()
    mimetic(vit, seed=3)
    after = vit.arrays()
    dim = vit.embed_dim
    rng = np.random.default_rng(3)
    for layer in range(2):
        query, key, value = np.split(after["qkv/kernel"][layer], 3, axis=1)
        for head in range(4):
            target = 0.4 * rng.standard_normal((dim, dim)) / 8 + 0.4 * np.eye(dim)
            left, s, right = np.linalg.svd(target)
            nearest = left[:, :16] @ np.diag(s[:16]) @ right[:16]
            columns = slice(16 * head, 16 * head + 16)
            product = query[:, columns] @ key[:, columns].T
            np.testing.assert_allclose(product, nearest, atol=1e-5)
            strength = np.linalg.norm(query[:, columns], axis=0)
            np.testing.assert_allclose(strength, np.linalg.norm(key[:, columns], axis=0), rtol=1e-4)
        target = 0.7 * rng.standard_normal((dim, dim)) / 8 - 0.7 * np.eye(dim)
        np.testing.assert_allclose(value @ after["output/kernel"][layer], target, atol=1e-5)
    for name in ("mlp_in/kernel", "patch/kernel", "qkv/bias", "positions"):
        np.testing.assert_array_equal(after[name], before[name])


def test_truncated_normal():
    vit = network()
    truncated_normal(vit, seed=0)
    arrays = vit.arrays()
    values = np.concatenate([arrays[name].ravel() for name in arrays if name.endswith("/kernel")])
    assert np.abs(values).max() <= 0.04 + 1e-7
    assert abs(values.std() - 0.02 * 0.8796) < 2e-4  # the deviation once cut at two
    assert abs(values.mean()) < 2e-4
    assert not any(arrays[name].any() for name in arrays if name.endswith("/bias"))
    again = network()
    truncated_normal(again, seed=0)
    np.testing.assert_array_equal(again.arrays()["qkv/kernel"], arrays["qkv/kernel"])
