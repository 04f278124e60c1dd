"""What the arguments of a `SweetTemplateViT` amount to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sweet_keras.core.form import FORM, check_form
from sweet_keras.core.ranks import choose_ranks
from sweet_keras.core.size import ViTSize
from sweet_keras.core.template import SweetTemplate

# What a template fixes, and what a new one has if nothing is said.
_DEFAULTS = {
    "patch_size": 16,
    "head_dim": 64,
    "ranks": "auto",
    "class_token": False,
    "positions": "sincos",
    "pixel_mean": 127.5,
    "pixel_std": 127.5,
    **FORM,
}


def read_source(
    source: str | ViTSize | SweetTemplate,
    size: str | ViTSize | None,
    image_shape: Sequence[int] | None,
    layer_scale: float | None,
    **given: Any,
) -> tuple[SweetTemplate | None, dict[str, Any]]:
    """The template to start from, if any, and the attributes of the network.

    Args:
        source: See `SweetTemplateViT`, also for the others.
        size: Size to make of a template.
        image_shape: (height, width, channels) in pixels.
        layer_scale: Initial value of the scales of the branches.
        **given: What a template fixes, `None` where nothing was said.

    Returns:
        The template, resized, or `None` for a new one; and `size`, `image_shape`, `layer_scale`,
        `ranks` as three numbers, and the rest of what was given.

    Raises:
        ValueError: If arguments contradict each other or the template.
    """
    given = {name: value for name, value in given.items() if value is not None}
    if not isinstance(source, SweetTemplate):
        if size is not None:
            raise ValueError(
                "`size` goes with a template as `source`; a new template has the size given "
                f"as `source`. Received: source={source!r}, size={size!r}"
            )
        fixed = {**_DEFAULTS, **given}
        size = ViTSize.parse(source, fixed["head_dim"])
        image_shape = tuple(int(side) for side in image_shape or (224, 224, 3))
        template = None
    else:
        if given:
            raise ValueError(
                "With a template as `source`, what it fixes cannot be chosen. "
                f"Received: {', '.join(f'`{name}`' for name in given)}"
            )
        if layer_scale is not None and not source.layer_scale:
            raise ValueError(
                "`layer_scale` must be None: the template was trained without. "
                f"Received: {layer_scale!r}"
            )
        if source.layer_scale:
            layer_scale = 1.0  # any value: the template's own are loaded
        template = source.resize(size or source.size, image_shape)
        fixed = {name: getattr(template, name) for name in _DEFAULTS if name != "head_dim"}
        fixed["head_dim"] = template.size.head_dim
        size, image_shape = template.size, template.image_shape
    check_form(**{name: fixed[name] for name in FORM})
    fixed["ranks"] = choose_ranks(size, fixed["ranks"], fixed["mlp_ratio"])
    return template, {
        **fixed,
        "size": size,
        "image_shape": image_shape,
        "layer_scale": layer_scale,
    }


def read_subnetwork_rate(
    rate: float | None, new: bool, drop_path: float, window: int | None
) -> float:
    """Share of a training batch that goes through sub-networks.

    Args:
        rate: As given, `None` for the default.
        new: Whether the template is a new one.
        drop_path: Stochastic depth.
        window: Side of the windows, or `None`.

    Raises:
        ValueError: If it is no share, or sub-networks cannot be drawn in such a network.
    """
    if rate is None:
        rate = 0.4 if new and not drop_path and window is None else 0.0
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"`subnetwork_rate` must be between 0 and 1. Received: {rate!r}")
    if rate and drop_path:
        # The branches of a compiled step cannot hand out new random states.
        raise ValueError(
            "`drop_path` must be 0 where sub-networks are drawn. "
            f"Received: drop_path={drop_path}, subnetwork_rate={rate}"
        )
    if rate and window is not None:
        # A shallow network has its global blocks at other layers than the deep one it is cut from.
        raise ValueError(
            "`window` must be None where sub-networks are drawn. "
            f"Received: window={window}, subnetwork_rate={rate}"
        )
    return rate
