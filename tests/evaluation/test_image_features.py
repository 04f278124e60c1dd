import numpy as np
import pytest
from keras_checks import images, numpy, randomize

import sweet_keras as sk
from sweet_keras.evaluation.image_features import classifier_features, label_agreement

pytestmark = pytest.mark.keras

SHAPE = (8, 12, 2)


def classifier(rng):
    vit = sk.ViTBackbone("L1H2", image_shape=SHAPE, patch_size=4, head_dim=4)
    model = sk.ImageClassifier(vit, 3)
    randomize(model, rng)
    return model


def test_features_are_what_the_last_layer_sees(rng):
    model, x = classifier(rng), images(rng, 5, SHAPE)
    features = classifier_features(model, batch_size=2)(x)
    assert features.shape == (5, 8) and features.dtype == np.float32
    np.testing.assert_allclose(features, numpy(model.backbone(x)).mean(axis=1), atol=1e-5)
    last = model.get_layer("logits")
    logits = features @ numpy(last.kernel) + numpy(last.bias)
    np.testing.assert_allclose(logits, numpy(model(x)), atol=1e-4)


def test_agreement_is_the_share_of_labels_that_are_found(rng):
    model, x = classifier(rng), images(rng, 6, SHAPE)
    found = numpy(model(x)).argmax(axis=1)
    wrong = (found + 1) % 3
    labels = np.where(np.arange(6) < 4, found, wrong)
    assert label_agreement(model, x, labels) == pytest.approx(4 / 6)
    assert label_agreement(lambda x: np.eye(3)[found], x, labels) == pytest.approx(4 / 6)
    with pytest.raises(ValueError, match="`labels` must be one for each image"):
        label_agreement(model, x, labels[:5])
