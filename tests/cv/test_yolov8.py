import keras
import numpy as np
import pytest
from dense_checks import boxes, check_detections, check_life, encoder, filter_warnings
from keras_checks import numpy

import sweet_keras as sk

keras_cv = pytest.importorskip("keras_cv")
pytestmark = filter_warnings


def test_yolov8(rng, tmp_path):
    x, found, classes = boxes(rng, 2)
    model = keras_cv.models.YOLOV8Detector(
        sk.cv.pyramid(encoder(rng), channels=8, levels=(3, 4, 5)),
        num_classes=2,
        bounding_box_format="xyxy",
        fpn_depth=1,
        label_encoder=sk.cv.LabelEncoder(2),
        prediction_decoder=sk.cv.prediction_decoder(
            "xyxy", from_logits=False, confidence_threshold=1e-4, max_detections=9
        ),
    )
    options = dict(optimizer="adam", box_loss="ciou", classification_loss="binary_crossentropy")
    predicted = check_life(model, options, x, {"boxes": found, "classes": classes}, tmp_path)
    check_detections(predicted, "classes", 2)


def test_labels_are_fetched_before_anything_is_computed(rng):
    # As arrays of numpy, which keras-cv's layer takes only when they are tensors already.
    scores = rng.uniform(size=(2, 16, 3)).astype("float32")
    anchors = rng.uniform(0, 32, (16, 2)).astype("float32")
    corner = rng.uniform(0, 16, (2, 5, 2)).astype("float32")
    found = np.concatenate([corner, corner + 16], -1)
    predicted = np.concatenate([anchors - 8, anchors + 8], -1)[None].repeat(2, 0)
    arrays = (
        scores,
        predicted,
        anchors,
        rng.integers(0, 3, (2, 5)),
        found,
        np.ones((2, 5, 1), bool),
    )
    tensors = [keras.ops.convert_to_tensor(array) for array in arrays]
    expected = keras_cv.models.yolov8.LabelEncoder(3)(*tensors)
    given = arrays if keras.backend.backend() == "torch" else tensors
    for ours, theirs in zip(sk.cv.LabelEncoder(3).call(*given), expected, strict=True):
        np.testing.assert_array_equal(numpy(ours), numpy(theirs))
    assert numpy(expected[2]).any()
