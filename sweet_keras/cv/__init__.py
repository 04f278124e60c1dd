"""Vision transformers in the detectors and segmenters of keras-cv.

keras-cv is imported when a name is first used; it needs TensorFlow on every backend:
`pip install 'sweet_keras[cv]'`. A model saved with such a pyramid is loaded after
`from sweet_keras.cv import PyramidBackbone`, or after `import keras_cv, sweet_keras`.

Example:
    ```python
    backbone = sk.cv.pyramid(vit, image_shape=(512, 512, 3))
    detector = keras_cv.models.RetinaNet(
        backbone,
        num_classes=20,
        bounding_box_format="xyxy",
        prediction_decoder=sk.cv.prediction_decoder("xyxy", from_logits=True),
    )
    segmenter = keras_cv.models.SegFormer(backbone, num_classes=21)
    segmenter.compile("adamw", loss=sk.cv.PixelCrossentropy())
    ```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweet_keras.models.optional_library import lazy_package

if TYPE_CHECKING:
    from sweet_keras.cv.label_encoder import LabelEncoder as LabelEncoder
    from sweet_keras.cv.pyramid_backbone import PyramidBackbone as PyramidBackbone
    from sweet_keras.cv.pyramid_backbone import pyramid as pyramid
    from sweet_keras.cv.suppression import NonMaxSuppression as NonMaxSuppression
    from sweet_keras.cv.suppression import prediction_decoder as prediction_decoder
    from sweet_keras.models.pixel_crossentropy import PixelCrossentropy as PixelCrossentropy

_HOMES = {
    "LabelEncoder": "cv.label_encoder",
    "NonMaxSuppression": "cv.suppression",
    "PixelCrossentropy": "models.pixel_crossentropy",
    "PyramidBackbone": "cv.pyramid_backbone",
    "prediction_decoder": "cv.suppression",
    "pyramid": "cv.pyramid_backbone",
}
__all__ = sorted(_HOMES)
__getattr__, __dir__ = lazy_package(__name__, _HOMES, "keras_cv")
