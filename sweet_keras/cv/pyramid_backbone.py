"""A vision transformer as a backbone of keras-cv."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from sweet_keras.models.encoder_pyramid import EncoderPyramid, own_encoder
from sweet_keras.models.optional_library import optional_library

keras_cv = optional_library("keras_cv", "cv")


@keras.saving.register_keras_serializable("sweet_keras.cv")
class PyramidBackbone(EncoderPyramid, keras_cv.models.Backbone):
    """An encoder with a feature pyramid; see `pyramid` and `EncoderPyramid`.

    `pyramid_level_inputs` is `{"P2": "P2", ...}`: the layers are called as their levels.
    """

    def __init__(self, encoder: Any, **kwargs):
        super().__init__(encoder, **kwargs)
        self.pyramid_level_inputs = {name: name for name in self.output}

    @property
    def embedding_dims(self) -> tuple[str, ...]:
        """What SegFormer names its layers after, which must differ from level to level."""
        return tuple(f"P{level}" for level in self.levels)


def pyramid(
    vit: Any,
    image_shape: Sequence[int] | None = None,
    *,
    channels: int | Sequence[int] = 256,
    levels: Sequence[int] = (2, 3, 4, 5),
    window: int | None = None,
    global_blocks: int = 4,
    **kwargs,
) -> PyramidBackbone:
    """Makes a backbone for the models of keras-cv.

    Args:
        vit: A `ViTBackbone` or a `SweetTemplateViT` of patch size 1, 2, 4, 8, 16 or 32. It is left
            as it is; a copy becomes `backbone.encoder`.
        image_shape: (height, width, channels) in pixels, by default those of `vit`; positions are
            interpolated. RetinaNet, YOLOv8 and DeepLab want sides that are multiples of 32.
        channels: Of the levels, one number or one for each.
        levels: Level l has stride `2**l`. RetinaNet and YOLOv8 take 3 to 5, DeepLab 2 and 5,
            SegFormer all.
        window: Side of the windows that attention is limited to, in patches, or `None`.
        global_blocks: Blocks that attend to the whole image nevertheless.
        **kwargs: `name`, `dtype` of the pyramid, by default that of `vit`, and `class_names` of the
            model it becomes part of, to be saved with it.

    Raises:
        ValueError: If an argument does not fit.

    Reference:
        Li et al., 2203.16527.
    """
    encoder = own_encoder(vit, image_shape, window, global_blocks)
    return PyramidBackbone(encoder, channels=channels, levels=levels, **kwargs)
