"""Labels of YOLOV8 on torch with a GPU."""

from __future__ import annotations

import keras
from keras import ops

from sweet_keras.models.optional_library import optional_library

keras_cv = optional_library("keras_cv", "cv")


@keras.saving.register_keras_serializable("sweet_keras.cv")
class LabelEncoder(keras_cv.models.yolov8.LabelEncoder):
    """keras-cv's label encoder of `YOLOV8Detector`, which on torch works with a GPU.

    There `fit` leaves labels in the memory of the CPU until a loss takes them, and keras-cv's layer
    computes with them before; this layer fetches them first. On other backends nothing differs.

    Example:
        ```python
        detector = keras_cv.models.YOLOV8Detector(
            sk.cv.pyramid(vit, image_shape=(512, 512, 3)),
            num_classes=20,
            bounding_box_format="xyxy",
            label_encoder=sk.cv.LabelEncoder(20),
            prediction_decoder=sk.cv.prediction_decoder("xyxy", from_logits=False),
        )
        ```
    """

    def call(self, *arrays):
        if keras.backend.backend() == "torch":
            arrays = [ops.convert_to_tensor(array) for array in arrays]
        return super().call(*arrays)
