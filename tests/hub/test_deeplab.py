import numpy as np
import pytest
from dense_checks import check_life, encoder, filter_warnings, masks

import sweet_keras as sk

keras_hub = pytest.importorskip("keras_hub")
pytestmark = filter_warnings


def test_deeplab(rng, tmp_path):
    x, y = masks(rng, 2, 4)
    pyramid = sk.hub.pyramid(encoder(rng), channels=8, levels=(2, 5))
    backbone = keras_hub.models.DeepLabV3Backbone(
        pyramid,
        low_level_feature_key="P1",
        spatial_pyramid_pooling_key="P5",
        upsampling_size=8,
        dilation_rates=[6],
        image_shape=pyramid.image_shape,
    )
    model = keras_hub.models.DeepLabV3ImageSegmenter(backbone, num_classes=4)
    options = dict(optimizer="adam", loss=sk.hub.PixelCrossentropy(from_logits=True), metrics=[])
    predicted = check_life(model, options, x, y, tmp_path)
    assert predicted.shape == (2, 64, 64, 4)
    assert np.isfinite(predicted).all()
