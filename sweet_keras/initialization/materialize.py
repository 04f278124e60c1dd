"""From a template to a plain vision transformer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sweet_keras.core.form import form_of
from sweet_keras.core.size import ViTSize
from sweet_keras.core.template import SweetTemplate
from sweet_keras.initialization.adapt import adapt as adapt_template
from sweet_keras.models.vit_backbone import ViTBackbone


def materialize(
    template: SweetTemplate,
    size: str | ViTSize | None = None,
    *,
    adapt: Any = None,
    image_shape: Sequence[int] | None = None,
    depth_map: str = "nearest",
    drop_path: float = 0.0,
    dtype: Any = None,
    **adapt_options: Any,
) -> ViTBackbone:
    """Makes a plain ViT of any size from a template.

    Without `adapt` the scalers are cut to size (*slice*), which takes milliseconds. With it they
    are then fitted to images, the template frozen (*adapt*). Either way W is written into ordinary
    kernels, and nothing of the template is left in the model.

    Args:
        template: What to start from.
        size: Such as `"L6H6"`, deeper or shallower, wider or narrower; the template's by default.
        adapt: Images (n, height, width, channels), a pair (images, labels) to fit by
            classification, or a data set of image batches; see `sweet_keras.adapt`.
        image_shape: (height, width, channels) of the model; positions are interpolated.
        depth_map: How layers are chosen: `"nearest"` evenly spaced ones, or `"linear"`
            interpolation between neighbours.
        drop_path: Stochastic depth of the model.
        dtype: Data type policy of the model, such as `"mixed_bfloat16"`.
        **adapt_options: Passed on to `sweet_keras.adapt`, such as `epochs`.

    Returns:
        A built `ViTBackbone`.

    Raises:
        ValueError: If the size does not fit the template, or adapt options come without `adapt`.
    """
    if not isinstance(template, SweetTemplate):
        raise ValueError(
            "`template` must be a SweetTemplate, such as SweetTemplate.load(path) gives. "
            f"Received: {template!r}"
        )
    if adapt is None and adapt_options:
        raise ValueError(
            f"{', '.join(f'`{name}`' for name in adapt_options)} go with `adapt`. "
            "Received: adapt=None"
        )
    template = template.resize(size or template.size, image_shape, depth_map)
    if adapt is not None:
        template = adapt_template(template, adapt, dtype=dtype, **adapt_options)
    vit = vit_like(template, drop_path=drop_path, dtype=dtype)
    kernels = template.kernels()._asdict()
    vit.load_arrays(
        {**template.arrays, **{f"{name}/kernel": array for name, array in kernels.items()}}
    )
    return vit


def vit_like(
    template: SweetTemplate, size: str | ViTSize | None = None, **options: Any
) -> ViTBackbone:
    """A randomly initialised ViT with the geometry and pre-processing of a template.

    Args:
        template: Gives image shape, patch size, positions and pixel normalisation.
        size: Another size than the template's.
        **options: Passed on to `ViTBackbone`.
    """
    size = ViTSize.parse(size or template.size, template.size.head_dim)
    return ViTBackbone(
        size,
        image_shape=template.image_shape,
        patch_size=template.patch_size,
        head_dim=size.head_dim,
        class_token=template.class_token,
        positions=template.positions,
        layer_scale=1.0 if template.layer_scale else None,
        pixel_mean=template.pixel_mean,
        pixel_std=template.pixel_std,
        **form_of(template),
        **options,
    )
