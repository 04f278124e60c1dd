"""A vision transformer as an image encoder of KerasHub."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from sweet_keras.models.encoder_pyramid import EncoderPyramid, own_encoder
from sweet_keras.models.optional_library import optional_library

keras_hub = optional_library("keras_hub", "hub")


@keras.saving.register_keras_serializable("sweet_keras.hub")
class PyramidBackbone(EncoderPyramid, keras_hub.models.FeaturePyramidBackbone):
    """An encoder with a feature pyramid; see `pyramid` and `EncoderPyramid`.

    `pyramid_outputs` has the levels by their names, but for that of stride 4, which is called P2
    by most models and P1 by SegFormer.

    Args:
        stride_4: Its name there. With `"P1"` one pyramid fits all models: `DeepLabV3Backbone` is
            told it by `low_level_feature_key`, and RetinaNet starts with P3.
    """

    def __init__(self, encoder: Any, *, stride_4: str = "P1", **kwargs):
        if stride_4 not in ("P1", "P2"):
            raise ValueError(f"`stride_4` must be 'P1' or 'P2'. Received: {stride_4!r}")
        super().__init__(encoder, **kwargs)
        if 1 in self.levels and stride_4 == "P1":
            raise ValueError(
                "`stride_4` must be 'P2' where `levels` has 1 as well. "
                f"Received: {stride_4!r}, levels={self.levels}"
            )
        self.stride_4 = stride_4
        names = {"P2": stride_4}
        self.pyramid_outputs = {names.get(name, name): x for name, x in self.output.items()}

    def get_config(self):
        return {**super().get_config(), "stride_4": self.stride_4}

    @property
    def hidden_dims(self) -> tuple[str, ...]:
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
    """Makes an image encoder for the models of KerasHub.

    Args:
        vit: A `ViTBackbone` or a `SweetTemplateViT` of patch size 1, 2, 4, 8, 16 or 32. It is left
            as it is; a copy becomes `backbone.encoder`.
        image_shape: (height, width, channels) in pixels, by default those of `vit`; positions are
            interpolated. Give it to KerasHub's backbones as well. RetinaNet and DeepLab want sides
            that are multiples of 32.
        channels: Of the levels, one number or one for each.
        levels: Level l has stride `2**l`. RetinaNet takes 3 to 5, DeepLab 2 and 5, SegFormer all.
        window: Side of the windows that attention is limited to, in patches, or `None`.
        global_blocks: Blocks that attend to the whole image nevertheless.
        **kwargs: `name`, `dtype` of the pyramid, by default that of `vit`, `class_names` of the
            model it becomes part of, to be saved with it, and `stride_4`, what the level of stride
            4 is called in `pyramid_outputs`: `"P1"`, or `"P2"`.

    Raises:
        ValueError: If an argument does not fit.

    Reference:
        Li et al., 2203.16527.
    """
    encoder = own_encoder(vit, image_shape, window, global_blocks)
    return PyramidBackbone(encoder, channels=channels, levels=levels, **kwargs)
