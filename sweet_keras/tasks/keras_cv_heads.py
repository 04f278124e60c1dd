"""The models of keras-cv."""

from __future__ import annotations

import keras

from sweet_keras import cv
from sweet_keras.models.pixel_crossentropy import PixelCrossentropy
from sweet_keras.tasks.head import BOX_FORMAT, LEAST_SCORE, Head


def _retinanet(pyramid: keras.Model, classes: int, anchor_size: float = 4.0) -> keras.Model:
    import keras_cv

    strides = [2**level for level in range(3, 8)]
    anchors = keras_cv.layers.AnchorGenerator(
        bounding_box_format=BOX_FORMAT,
        sizes=[anchor_size * stride for stride in strides],
        aspect_ratios=[0.5, 1.0, 2.0],
        scales=[2 ** (third / 3) for third in range(3)],
        strides=strides,
        clip_boxes=True,
    )
    return keras_cv.models.RetinaNet(
        pyramid,
        classes,
        BOX_FORMAT,
        anchor_generator=anchors,
        prediction_decoder=cv.prediction_decoder(
            BOX_FORMAT, from_logits=True, confidence_threshold=LEAST_SCORE
        ),
    )


def _yolov8(pyramid: keras.Model, classes: int) -> keras.Model:
    import keras_cv

    return keras_cv.models.YOLOV8Detector(
        pyramid,
        classes,
        BOX_FORMAT,
        label_encoder=cv.LabelEncoder(classes),
        prediction_decoder=cv.prediction_decoder(
            BOX_FORMAT, from_logits=False, iou_threshold=0.7, confidence_threshold=LEAST_SCORE
        ),
    )


def _deeplab(pyramid: keras.Model, classes: int) -> keras.Model:
    import keras_cv

    return keras_cv.models.DeepLabV3Plus(pyramid, classes)


def _segformer(pyramid: keras.Model, classes: int) -> keras.Model:
    import keras_cv

    return keras_cv.models.SegFormer(pyramid, classes)


def _of_probabilities() -> dict:
    return {"loss": PixelCrossentropy(from_logits=False)}


HEADS = (
    Head(
        task="detect",
        library="keras_cv",
        name="retinanet",
        model_class="RetinaNet",
        levels=(3, 4, 5),
        joins=(3, 5),
        make=_retinanet,
        losses=lambda: {"box_loss": "smoothl1", "classification_loss": "focal"},
        label_key="classes",
    ),
    Head(
        task="detect",
        library="keras_cv",
        name="yolov8",
        model_class="YOLOV8Detector",
        levels=(3, 4, 5),
        joins=(3, 5),
        make=_yolov8,
        losses=lambda: {"box_loss": "ciou", "classification_loss": "binary_crossentropy"},
        label_key="classes",
    ),
    Head(
        task="segment",
        library="keras_cv",
        name="segformer",
        model_class="SegFormer",
        levels=(2, 3, 4, 5),
        make=_segformer,
        losses=_of_probabilities,
    ),
    Head(
        task="segment",
        library="keras_cv",
        name="deeplab",
        model_class="DeepLabV3Plus",
        levels=(2, 5),
        joins=(2, 5),
        make=_deeplab,
        losses=_of_probabilities,
    ),
)
