import pytest
from dense_checks import boxes, check_detections, check_life, encoder, filter_warnings

import sweet_keras as sk

keras_cv = pytest.importorskip("keras_cv")
pytestmark = filter_warnings


def test_retinanet(rng, tmp_path):
    x, found, classes = boxes(rng, 2)
    model = keras_cv.models.RetinaNet(
        sk.cv.pyramid(encoder(rng, "template"), channels=8, levels=(3, 4, 5)),
        num_classes=2,
        bounding_box_format="xyxy",
        prediction_decoder=sk.cv.prediction_decoder(
            "xyxy", from_logits=True, confidence_threshold=1e-4, max_detections=9
        ),
    )
    options = dict(optimizer="adam", box_loss="smoothl1", classification_loss="focal")
    predicted = check_life(model, options, x, {"boxes": found, "classes": classes}, tmp_path)
    check_detections(predicted, "classes", 2)
