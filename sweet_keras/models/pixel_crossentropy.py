"""The loss of a segmenter."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable("sweet_keras")
class PixelCrossentropy(keras.losses.Loss):
    """Cross-entropy of the class of each pixel, averaged over the pixels that count.

    Keras's own loss does the same for masks of which every pixel counts, but its gradient fails on
    torch for images of probabilities ("grad_input must be contiguous").

    Args:
        from_logits: Whether predictions are logits (KerasHub) or probabilities (keras-cv).
        ignore: Value of pixels in the masks that do not count, or `None`.

    Call arguments:
        y_true: (B, height, width) or (B, height, width, 1), the class of each pixel, 0-based.
        y_pred: (B, height, width, classes).
        sample_weight: (B, 1, 1) or (B, height, width), or `None`.

    Returns:
        The sum over the pixels that count, divided by their number in the batch; 0 if none counts.
        With the reduction `"sum"` or `None` nothing is divided.
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore: int | None = 255,
        name: str = "pixel_crossentropy",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        self.from_logits = from_logits
        self.ignore = ignore

    def call(self, y_true, y_pred):
        if len(y_true.shape) == len(y_pred.shape):
            y_true = ops.squeeze(y_true, axis=-1)
        shape = ops.shape(y_true)
        classes = ops.cast(ops.reshape(y_true, (-1,)), "int32")
        counts = ops.ones_like(classes, dtype="bool")
        if self.ignore is not None:
            counts = ops.not_equal(classes, self.ignore)
        losses = ops.sparse_categorical_crossentropy(
            ops.where(counts, classes, 0),
            ops.reshape(y_pred, (-1, y_pred.shape[-1])),
            from_logits=self.from_logits,
        )
        counts = ops.cast(counts, losses.dtype)
        losses = losses * counts
        if self.reduction not in ("sum", "none", None):
            # Keras divides by the number of all pixels.
            losses = losses / ops.maximum(ops.mean(counts), 1e-12)
        return ops.reshape(losses, shape)

    def get_config(self):
        return {**super().get_config(), "from_logits": self.from_logits, "ignore": self.ignore}
