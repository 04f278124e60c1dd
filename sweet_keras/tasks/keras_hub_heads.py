"""The models of KerasHub."""

from __future__ import annotations

import math

import keras

from sweet_keras.models.pixel_crossentropy import PixelCrossentropy
from sweet_keras.tasks.head import BOX_FORMAT, LEAST_SCORE, Head


def _retinanet(pyramid: keras.Model, classes: int, anchor_size: float = 4.0) -> keras.Model:
    import keras_hub

    levels = {"min_level": 3, "max_level": 7}
    backbone = keras_hub.models.RetinaNetBackbone(
        pyramid, **levels, use_p5=True, image_shape=pyramid.image_shape
    )
    anchors = keras_hub.layers.AnchorGenerator(
        BOX_FORMAT,
        **levels,
        num_scales=3,
        aspect_ratios=[0.5, 1.0, 2.0],
        anchor_size=anchor_size,
    )
    decoder = keras_hub.layers.NonMaxSuppression(
        bounding_box_format=BOX_FORMAT, from_logits=True, confidence_threshold=LEAST_SCORE
    )
    detector = keras_hub.models.RetinaNetObjectDetector(
        backbone,
        classes,
        bounding_box_format=BOX_FORMAT,
        anchor_generator=anchors,
        prediction_decoder=decoder,
        # Without it the heads' own first kernels make the outputs grow from layer to layer.
        use_prediction_head_norm=True,
        compile=False,
    )
    _start_as_published(detector)
    return detector


def _start_as_published(detector: keras.Model) -> None:
    """Starts the last layers of the heads as in the paper of RetinaNet (1708.02002).

    KerasHub gives the bias by which all is background at first to the boxes instead of the classes,
    and kernels five times as large: training then ends with no object found anywhere.
    """
    for head, bias in ((detector.classification_head, -math.log(99)), (detector.box_head, 0.0)):
        layer = head.prediction_layer
        layer.kernel.assign(keras.initializers.RandomNormal(stddev=0.01)(layer.kernel.shape))
        layer.bias.assign(keras.ops.full(layer.bias.shape, bias))


# Segmenters are made uncompiled: where they were compiled with metrics once, which they would be,
# Keras keeps these.


def _segformer(pyramid: keras.Model, classes: int) -> keras.Model:
    import keras_hub

    backbone = keras_hub.models.SegFormerBackbone(pyramid, projection_filters=256)
    return keras_hub.models.SegFormerImageSegmenter(
        backbone=backbone, num_classes=classes, compile=False
    )


def _deeplab(pyramid: keras.Model, classes: int) -> keras.Model:
    import keras_hub

    backbone = keras_hub.models.DeepLabV3Backbone(
        pyramid,
        low_level_feature_key="P1",  # that of stride 4, see `sweet_keras.hub.PyramidBackbone`
        spatial_pyramid_pooling_key="P5",
        upsampling_size=8,
        dilation_rates=[6, 12, 18],
        image_shape=pyramid.image_shape,
    )
    return keras_hub.models.DeepLabV3ImageSegmenter(
        backbone=backbone, num_classes=classes, compile=False
    )


def _of_logits() -> dict:
    return {"loss": PixelCrossentropy(from_logits=True), "metrics": None}


HEADS = (
    Head(
        task="detect",
        library="keras_hub",
        name="retinanet",
        model_class="RetinaNetObjectDetector",
        levels=(3, 4, 5),
        joins=(3, 5),
        make=_retinanet,
        losses=dict,
        label_key="labels",
    ),
    Head(
        task="segment",
        library="keras_hub",
        name="segformer",
        model_class="SegFormerImageSegmenter",
        levels=(2, 3, 4, 5),
        make=_segformer,
        losses=_of_logits,
    ),
    Head(
        task="segment",
        library="keras_hub",
        name="deeplab",
        model_class="DeepLabV3ImageSegmenter",
        levels=(2, 5),
        joins=(2, 5),
        make=_deeplab,
        losses=_of_logits,
    ),
)
