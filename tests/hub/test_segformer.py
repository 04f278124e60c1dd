import keras
import numpy as np
import pytest
from dense_checks import check_life, encoder, filter_warnings, masks

import sweet_keras as sk

keras_hub = pytest.importorskip("keras_hub")
pytestmark = filter_warnings


def test_segformer(rng, tmp_path):
    x, y = masks(rng, 2, 4)
    pyramid = sk.hub.pyramid(encoder(rng, "template"), channels=8)
    backbone = keras_hub.models.SegFormerBackbone(pyramid, projection_filters=8)
    model = keras_hub.models.SegFormerImageSegmenter(backbone, num_classes=4)
    options = dict(optimizer="adam", loss=sk.hub.PixelCrossentropy(from_logits=True), metrics=[])
    predicted = check_life(model, options, x, y, tmp_path)
    assert predicted.shape == (2, 64, 64, 4)
    assert np.isfinite(predicted).all()


@pytest.mark.parametrize("channels", [4, (4, 6, 8, 10)])
def test_every_level_is_read_once(rng, channels):
    pyramid = sk.hub.pyramid(encoder(rng), channels=channels)
    backbone = keras_hub.models.SegFormerBackbone(pyramid, projection_filters=8)
    dense = [layer for layer in backbone.layers if isinstance(layer, keras.layers.Dense)]
    assert sorted(layer.input.shape[1] for layer in dense) == [2, 4, 8, 16]
