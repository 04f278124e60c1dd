"""A template and a classifier trained on one backend (torch) give the same on every other."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras_checks import numpy

import sweet_keras as sk

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="module")
def case():
    with np.load(FIXTURES / "backend.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def template():
    return sk.SweetTemplate.load(FIXTURES / "backend.sweet")


def test_template_network(case, template):
    vit = sk.SweetTemplateViT(template)
    np.testing.assert_allclose(numpy(vit(case["x"])), case["tokens"], atol=5e-5)
    narrow = numpy(vit(case["x"], heads=2))
    np.testing.assert_allclose(narrow[..., :16], case["narrow_tokens"], atol=5e-5)


def test_masked_autoencoder(case, template):
    mae = sk.MaskedAutoencoder.from_template(template)
    prediction = numpy(mae(case["x"], noise=case["noise"])["prediction"])
    np.testing.assert_allclose(prediction, case["prediction"], atol=5e-5)


def test_materialized_network(case, template):
    vit = sk.materialize(template, "L5H6")
    np.testing.assert_allclose(numpy(vit(case["x"])), case["sliced_tokens"], atol=5e-5)


def test_saved_classifier(case):
    model = keras.saving.load_model(FIXTURES / "backend.keras")
    np.testing.assert_allclose(numpy(model(case["x"])), case["logits"], atol=1e-4)
    assert len(set(case["logits"].argmax(1))) > 3  # it has learned to tell classes apart
