"""An encoder for images of another size."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Sequence

from sweet_keras.core.resize import resize_grid
from sweet_keras.core.template import grid_of
from sweet_keras.layers.sweet_template_vit import SweetTemplateViT
from sweet_keras.layers.windows import check_windows
from sweet_keras.models.vit_backbone import ViTBackbone


def resized_encoder(
    vit: ViTBackbone | SweetTemplateViT,
    image_shape: Sequence[int],
    window: int | None = None,
    global_blocks: int = 4,
) -> ViTBackbone | SweetTemplateViT:
    """Makes the same encoder for images of another size, such as those of a detector.

    The table of positions is interpolated, sin-cos or learned, exactly as `SweetTemplate.resize`
    does it: a patch keeps the code of its place in the image. All other weights are copied.

    Args:
        vit: The encoder. It is left as it is, and shares no variable with the new one.
        image_shape: (height, width, channels) in pixels, square or not. The sides must be multiples
            of the patch size, the channels those of the encoder.
        window: Side of the windows, in tokens, that most blocks attend in; `None` for global
            attention in all blocks. An encoder's own window is not inherited. No sub-networks are
            drawn in a `SweetTemplateViT` with a window.
        global_blocks: With a window: blocks, evenly spaced, that attend to everything. A network
            with no more blocks than that has no use for a window, which is warned of.

    Returns:
        A built encoder of the same kind, name, data type policy and options.

    Raises:
        ValueError: If `vit` is no such encoder, the image shape does not fit it, or a window is
            given and it has a class token or registers.

    Example:
    ```python
    vit = sk.materialize(template, "L6H6")
    detector_vit = resized_encoder(vit, (512, 768, 3), window=14)
    ```
    """
    if not isinstance(vit, ViTBackbone | SweetTemplateViT):
        raise ValueError(
            "`vit` must be a ViTBackbone or a SweetTemplateViT; others have a method "
            f"`materialize` that gives one. Received: {type(vit).__name__}"
        )
    check_windows(window, global_blocks, vit.extra_tokens)
    if window is not None and vit.size.depth <= global_blocks:
        warnings.warn(
            f"The window of {window} patches changes nothing: {global_blocks} blocks attend to the "
            f"whole image nevertheless, and {vit.size} has {vit.size.depth}. Give fewer "
            "`global_blocks`, or no `window`.",
            stacklevel=2,
        )
    shape = _image_shape(image_shape, vit)
    config = {
        **vit.get_config(),
        "image_shape": shape,
        "window": window,
        "global_blocks": global_blocks,
    }
    if isinstance(vit, ViTBackbone):
        resized = ViTBackbone.from_config(config)
        arrays = vit.arrays()
        arrays["positions"] = resize_grid(
            arrays["positions"], vit.patches.grid, resized.patches.grid
        )
        resized.load_arrays(arrays)
        return resized
    if window is not None:
        config["subnetwork_rate"] = 0.0
    resized = SweetTemplateViT.from_config(config)
    resized.build()
    resized.load_template(vit.template().resize(vit.size, shape))
    return resized


def _image_shape(
    image_shape: Sequence[int], vit: ViTBackbone | SweetTemplateViT
) -> tuple[int, int, int]:
    try:
        height, width, channels = (operator.index(side) for side in image_shape)
    except (TypeError, ValueError):
        raise ValueError(
            "`image_shape` must be three positive integers (height, width, channels). "
            f"Received: {image_shape!r}"
        ) from None
    if channels != vit.image_shape[2]:
        raise ValueError(
            f"`image_shape` must have {vit.image_shape[2]} channels, as the encoder. "
            f"Received: {tuple(image_shape)}"
        )
    grid_of((height, width, channels), vit.patch_size)
    return height, width, channels
