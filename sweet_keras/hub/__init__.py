"""Vision transformers in the detectors and segmenters of KerasHub.

KerasHub is imported when a name is first used: `pip install 'sweet_keras[hub]'`. A model saved with
such a pyramid is loaded after `from sweet_keras.hub import PyramidBackbone`, or after
`import keras_hub, sweet_keras`.

Example:
    ```python
    encoder = sk.hub.pyramid(vit, image_shape=(512, 512, 3))
    detector = keras_hub.models.RetinaNetObjectDetector(
        keras_hub.models.RetinaNetBackbone(
            encoder, min_level=3, max_level=7, use_p5=True, image_shape=encoder.image_shape
        ),
        num_classes=20,
        bounding_box_format="xyxy",
    )
    segmenter = keras_hub.models.SegFormerImageSegmenter(
        keras_hub.models.SegFormerBackbone(encoder, projection_filters=256), num_classes=21
    )
    deeplab = keras_hub.models.DeepLabV3ImageSegmenter(
        keras_hub.models.DeepLabV3Backbone(
            encoder,
            low_level_feature_key="P1",  # the level of stride 4, as SegFormer calls it
            spatial_pyramid_pooling_key="P5",
            upsampling_size=8,
            dilation_rates=[6, 12, 18],
            image_shape=encoder.image_shape,
        ),
        num_classes=21,
    )
    segmenter.compile(loss=sk.hub.PixelCrossentropy(from_logits=True), metrics=[])
    ```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweet_keras.models.optional_library import lazy_package

if TYPE_CHECKING:
    from sweet_keras.hub.pyramid_backbone import PyramidBackbone as PyramidBackbone
    from sweet_keras.hub.pyramid_backbone import pyramid as pyramid
    from sweet_keras.models.pixel_crossentropy import PixelCrossentropy as PixelCrossentropy

_HOMES = {
    "PixelCrossentropy": "models.pixel_crossentropy",
    "PyramidBackbone": "hub.pyramid_backbone",
    "pyramid": "hub.pyramid_backbone",
}
__all__ = sorted(_HOMES)
__getattr__, __dir__ = lazy_package(__name__, _HOMES, "keras_hub")
