import pytest
from dense_checks import boxes, check_detections, check_life, encoder, filter_warnings

import sweet_keras as sk

keras_hub = pytest.importorskip("keras_hub")
pytestmark = filter_warnings


def test_retinanet(rng, tmp_path):
    x, found, labels = boxes(rng, 2)
    pyramid = sk.hub.pyramid(encoder(rng, "template"), channels=8, levels=(3, 4, 5))
    backbone = keras_hub.models.RetinaNetBackbone(
        pyramid, min_level=3, max_level=7, use_p5=True, image_shape=pyramid.image_shape
    )
    model = keras_hub.models.RetinaNetObjectDetector(
        backbone,
        num_classes=2,
        bounding_box_format="xyxy",
        pre_logits_num_conv_layers=1,
        prediction_decoder=keras_hub.layers.NonMaxSuppression(
            "xyxy", from_logits=True, confidence_threshold=1e-4, max_detections=9
        ),
    )
    predicted = check_life(
        model, {"optimizer": "adam"}, x, {"boxes": found, "labels": labels}, tmp_path
    )
    check_detections(predicted, "labels", 2)
