import keras
import numpy as np
import pytest
from dense_checks import check_life, encoder, masks

import sweet_keras as sk

keras_cv = pytest.importorskip("keras_cv")


def test_segformer(rng, tmp_path):
    x, y = masks(rng, 2, 4)
    backbone = sk.cv.pyramid(encoder(rng, "template"), channels=8)
    model = keras_cv.models.SegFormer(backbone, num_classes=4, projection_filters=8)
    options = dict(optimizer="adam", loss=sk.cv.PixelCrossentropy())
    predicted = check_life(model, options, x, y, tmp_path)
    assert predicted.shape == (2, 64, 64, 4)
    np.testing.assert_allclose(predicted.sum(-1), 1, rtol=1e-4)


@pytest.mark.parametrize("channels", [4, (4, 6, 8, 10)])
def test_every_level_is_read_once(rng, channels):
    backbone = sk.cv.pyramid(encoder(rng), channels=channels)
    model = keras_cv.models.SegFormer(backbone, num_classes=4, projection_filters=8)
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    assert sorted(layer.input.shape[1] for layer in dense) == [2, 4, 8, 16]
