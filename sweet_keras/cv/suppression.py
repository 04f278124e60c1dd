"""Suppression of overlapping boxes that needs no torchvision."""

from __future__ import annotations

import keras
from keras import ops

from sweet_keras.models.optional_library import optional_library

keras_cv = optional_library("keras_cv", "cv")

# Boxes of an image that enter the suppression on torch, the surest ones.
CANDIDATES = 4096


@keras.saving.register_keras_serializable("sweet_keras.cv")
class NonMaxSuppression(keras_cv.layers.NonMaxSuppression):
    """keras-cv's layer, which on torch works without torchvision.

    There keras-cv calls an operator of torchvision, though it has a suppression of Keras operations
    as well; this layer calls that one. On other backends nothing differs.
    """

    def call(self, box_prediction, class_prediction, images=None, image_shape=None):
        if keras.backend.backend() != "torch":
            return super().call(
                box_prediction, class_prediction, images=images, image_shape=image_shape
            )
        scores = ops.sigmoid(class_prediction) if self.from_logits else class_prediction
        confidence = ops.max(scores, axis=-1)
        count = min(CANDIDATES, confidence.shape[1])
        confidence, order = ops.top_k(confidence, count)
        classes = ops.take_along_axis(ops.argmax(scores, axis=-1), order, axis=1)
        boxes = ops.take_along_axis(box_prediction, order[..., None], axis=1)
        is_relative = keras_cv.bounding_box.is_relative(self.bounding_box_format)
        corners = keras_cv.bounding_box.convert_format(
            boxes,
            source=self.bounding_box_format,
            target="rel_yxyx" if is_relative else "yxyx",
            images=images,
            image_shape=image_shape,
        )
        kept, number = keras_cv.src.layers.object_detection.non_max_suppression.non_max_suppression(
            ops.copy(corners),  # on torch it writes into its arguments
            ops.copy(confidence),
            max_output_size=self.max_detections,
            iou_threshold=self.iou_threshold,
            score_threshold=self.confidence_threshold,
        )
        detections = {
            "boxes": ops.take_along_axis(boxes, kept[..., None], axis=1),
            "confidence": ops.take_along_axis(confidence, kept, axis=1),
            "classes": ops.take_along_axis(classes, kept, axis=1),
            "num_detections": number,
        }
        return keras_cv.bounding_box.mask_invalid_detections(detections, output_ragged=False)


def prediction_decoder(
    bounding_box_format: str,
    from_logits: bool,
    iou_threshold: float = 0.5,
    confidence_threshold: float = 0.5,
    max_detections: int = 100,
) -> NonMaxSuppression:
    """Makes the `prediction_decoder` of a detector of keras-cv, for every backend.

    Args:
        bounding_box_format: That of the detector, such as `"xyxy"`.
        from_logits: True for `RetinaNet`, False for `YOLOV8Detector`.
        iou_threshold: From which overlap on the surer of two boxes suppresses the other. keras-cv
            gives YOLOv8 0.7.
        confidence_threshold: Below it boxes are dropped. keras-cv gives YOLOv8 0.2.
        max_detections: Boxes kept of an image.
    """
    return NonMaxSuppression(
        bounding_box_format=bounding_box_format,
        from_logits=from_logits,
        iou_threshold=iou_threshold,
        confidence_threshold=confidence_threshold,
        max_detections=max_detections,
    )
