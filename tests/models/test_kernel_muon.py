import keras
import numpy as np
import pytest
from keras_checks import images, numpy

import sweet_keras as sk
from sweet_keras.models import kernel_muon
from sweet_keras.models.kernel_muon import KernelMuon

SHAPE = (8, 8, 1)
A, B, C = 3.4445, -4.7750, 2.0315


def orthogonal(g):
    """Newton-Schulz on one matrix, as Jordan et al. write it."""
    x = g.T if g.shape[0] > g.shape[1] else g
    x = x / (np.linalg.norm(x) + 1e-7)
    for _ in range(5):
        a = x @ x.T
        x = A * x + (B * a + C * a @ a) @ x
    return x.T if g.shape[0] > g.shape[1] else x


def muon_step(weight, gradients, rate, decay=0.05, beta=0.95):
    momentum = np.zeros_like(weight)
    for g in gradients:
        momentum = beta * momentum + g
        weight = weight * (1 - rate * decay)
        step = orthogonal(g + beta * momentum)
        weight = weight - rate * 0.2 * np.sqrt(max(weight.shape)) * step
    return weight


def updated(name, start, gradients, rate=0.1):
    variable = keras.Variable(start, name=name)
    optimizer = KernelMuon(rate)
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    return numpy(variable)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("output_kernel", (6, 6)), ("mlp_in_kernel", (6, 24)), ("mlp_out_kernel", (24, 6))],
)
def test_kernel_equals_numpy(rng, name, shape):
    start, *gradients = rng.standard_normal((4, *shape)).astype("float32")
    expected = muon_step(start.astype("float64"), gradients, 0.1)
    np.testing.assert_allclose(updated(name, start, gradients), expected, atol=1e-5)


def test_query_key_and_value_are_kernels_of_their_own(rng):
    start, *gradients = rng.standard_normal((4, 5, 15)).astype("float32")
    parts = [
        muon_step(start[:, at].astype("float64"), [g[:, at] for g in gradients], 0.1)
        for at in (slice(0, 5), slice(5, 10), slice(10, 15))
    ]
    expected = np.concatenate(parts, axis=1)
    np.testing.assert_allclose(updated("qkv_kernel", start, gradients), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["core", "mlp_in_templates"])
def test_matrices_of_a_stack_are_kernels_of_their_own(rng, name):
    start, *gradients = rng.standard_normal((3, 4, 7, 5)).astype("float32")
    expected = [
        muon_step(start[i].astype("float64"), [g[i] for g in gradients], 0.1) for i in range(4)
    ]
    np.testing.assert_allclose(updated(name, start, gradients), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["embed_kernel", "kernel", "layer_scaler", "qkv_bias", "encore"])
def test_all_else_is_adamw(rng, name):
    start, *gradients = rng.standard_normal((4, 5, 6)).astype("float32")
    variable = keras.Variable(start, name=name)
    adamw = keras.optimizers.AdamW(0.1, weight_decay=0.05)
    for gradient in gradients:
        adamw.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    np.testing.assert_allclose(updated(name, start, gradients), numpy(variable), atol=1e-5)


@pytest.mark.parametrize("numbers", [1, 200, 2**25])
def test_variables_together_are_updated_like_each_alone(rng, monkeypatch, numbers):
    monkeypatch.setattr(kernel_muon, "_TOGETHER", numbers)  # how many share an iteration
    shapes = {
        "a_qkv_kernel": (6, 18), "a_output_kernel": (6, 6), "a_bias": (6,), "b_qkv_kernel": (6, 18),
        "b_output_kernel": (6, 6), "core": (3, 6, 6), "a_mlp_in_kernel": (6, 24), "head": (6, 2),
    }  # fmt: skip
    starts = {n: rng.standard_normal(s).astype("float32") for n, s in shapes.items()}
    gradients = [
        {n: rng.standard_normal(s).astype("float32") for n, s in shapes.items()} for _ in range(3)
    ]
    together = {name: keras.Variable(start, name=name) for name, start in starts.items()}
    optimizer = KernelMuon(0.1)
    for step in gradients:
        given = [keras.ops.convert_to_tensor(step[name]) for name in shapes]
        optimizer.apply(given, list(together.values()))
    for name, start in starts.items():
        alone = updated(name, start, [step[name] for step in gradients])
        np.testing.assert_allclose(numpy(together[name]), alone, atol=1e-5)


@pytest.mark.parametrize("plain", [False, True])
def test_trains_and_is_saved(rng, tmp_path, plain):
    options = {"image_shape": SHAPE, "patch_size": 4, "head_dim": 4}
    encoder = sk.ViTBackbone("L2H2", **options)
    if not plain:
        encoder = sk.SweetTemplateViT("L2H2", subnetwork_rate=0.0, **options)
    model = sk.ImageClassifier(encoder, classes=2)
    model.compile(KernelMuon(1e-2))
    y = rng.integers(0, 2, 64)
    x = images(rng, 64, SHAPE) // 2 + (60 * y[:, None, None, None]).astype("uint8")
    losses = model.fit(x, y, batch_size=64, epochs=15, verbose=0).history["loss"]
    assert losses[-1] < 0.6 * losses[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.optimizer, KernelMuon)
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
