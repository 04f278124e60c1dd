import numpy as np
import pytest
from dense_checks import check_life, encoder, masks

import sweet_keras as sk

keras_cv = pytest.importorskip("keras_cv")


def test_deeplab(rng, tmp_path):
    x, y = masks(rng, 2, 4)
    backbone = sk.cv.pyramid(encoder(rng), channels=8, levels=(2, 5))
    model = keras_cv.models.DeepLabV3Plus(backbone, num_classes=4)
    options = dict(optimizer="adam", loss=sk.cv.PixelCrossentropy())
    predicted = check_life(model, options, x, y, tmp_path)
    assert predicted.shape == (2, 64, 64, 4)
    np.testing.assert_allclose(predicted.sum(-1), 1, rtol=1e-4)
