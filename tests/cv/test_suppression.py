import numpy as np
import pytest
from keras_checks import numpy

import sweet_keras as sk

pytest.importorskip("keras_cv")


def greedy(boxes, scores, iou_threshold, confidence_threshold, most):
    """Box after box, the surest first, unless one taken before overlaps it too much."""
    taken = []
    for index in np.argsort(-scores.max(-1)):
        x1, y1, x2, y2 = boxes[index]
        if scores[index].max() <= confidence_threshold or len(taken) == most:
            break
        for other in taken:
            a1, b1, a2, b2 = boxes[other]
            shared = max(0, min(x2, a2) - max(x1, a1)) * max(0, min(y2, b2) - max(y1, b1))
            union = (x2 - x1) * (y2 - y1) + (a2 - a1) * (b2 - b1) - shared
            if shared / union > iou_threshold:
                break
        else:
            taken.append(index)
    return taken


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("count", [40, 700])  # 700 are two tiles of keras-cv's suppression
def test_keeps_what_a_loop_keeps(rng, count, from_logits):
    corner = rng.uniform(0, 80, (2, count, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(10, 40, (2, count, 2))], -1)
    boxes = boxes.astype("float32")
    scores = rng.permutation(np.linspace(0.01, 0.99, 2 * count * 3)).reshape(2, count, 3)
    scores = scores.astype("float32")
    given = np.log(scores / (1 - scores)).astype("float32") if from_logits else scores
    decoder = sk.cv.prediction_decoder(
        "xyxy",
        from_logits=from_logits,
        iou_threshold=0.3,
        confidence_threshold=0.4,
        max_detections=25,
    )
    before = boxes.copy(), given.copy()
    found = {key: numpy(value) for key, value in decoder(boxes, given).items()}
    np.testing.assert_array_equal(boxes, before[0])
    np.testing.assert_array_equal(given, before[1])
    for image in range(2):
        taken = greedy(boxes[image], scores[image], 0.3, 0.4, 25)
        assert found["num_detections"][image] == len(taken) > 5
        rest = slice(len(taken), None)
        for key, expected in (
            ("boxes", boxes[image, taken]),
            ("confidence", scores[image, taken].max(-1)),
            ("classes", scores[image, taken].argmax(-1)),
        ):
            np.testing.assert_allclose(found[key][image, : len(taken)], expected, rtol=1e-4)
            assert (found[key][image, rest] == -1).all()


def test_nothing_is_sure_enough(rng):
    decoder = sk.cv.prediction_decoder("rel_xywh", False, max_detections=3)
    boxes = rng.uniform(0.1, 0.5, (1, 9, 4)).astype("float32")
    found = decoder(boxes, np.full((1, 9, 2), 0.4, "float32"))
    assert numpy(found["num_detections"]).tolist() == [0]
    assert (numpy(found["boxes"]) == -1).all()


def test_configuration():
    decoder = sk.cv.prediction_decoder("xywh", True, 0.7, 0.2, 9)
    again = sk.cv.NonMaxSuppression.from_config(decoder.get_config())
    assert again.get_config() == decoder.get_config()
    assert (again.bounding_box_format, again.from_logits, again.max_detections) == ("xywh", True, 9)
