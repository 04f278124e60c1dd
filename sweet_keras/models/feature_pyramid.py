"""ViTDet's simple feature pyramid: maps of several strides from the last one of a plain ViT."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import keras


def feature_pyramid(
    features: keras.KerasTensor,
    stride: int,
    *,
    channels: int | Sequence[int] = 256,
    levels: Sequence[int] = (2, 3, 4, 5),
    dtype: Any = None,
) -> dict[str, keras.KerasTensor]:
    """Makes a pyramid from one feature map, in a functional graph.

    A level above the map is reached by transposed convolutions 2x2 of stride 2, layer normalisation
    and GELU between two of them; one below it by max pooling 2x2. Then each has a 1x1 convolution
    to its channels and a 3x3 convolution, both followed by layer normalisation. Level l ends in a
    layer called `P{l}`, and all layers with weights have such stable names.

    A map of an odd side is pooled with a narrower last window, so that level l has
    `ceil(side / 2**l)` rows and columns: what the anchors of RetinaNet and YOLOv8 expect. Models
    that join levels by doubling the deeper one (RetinaNet, YOLOv8, DeepLab) fit only maps that
    halve without a rest; image sides that are multiples of `2**max(levels)` always do.

    Args:
        features: (B, h, w, D).
        stride: Pixels from one of its places to the next, a power of two up to 32.
        channels: Of the levels, one number or one for each.
        levels: Ascending; level l has stride `2**l`.
        dtype: Data type policy of the layers.

    Returns:
        `{"P2": (B, h2, w2, channels), ...}`, in the order of `levels`.

    Raises:
        ValueError: If an argument is none of these.

    Reference:
        Li et al., 2203.16527. Random kernels are uniform in +-1/sqrt(fan-in), as in its code.
    """
    start = check_stride(stride)
    levels = check_levels(levels)
    widths = check_channels(channels, levels)
    options = {"data_format": "channels_last", "dtype": dtype}
    pooled = {start: features}
    for level in range(start + 1, max(*levels, start) + 1):
        pooled[level] = keras.layers.MaxPooling2D(
            2, padding="same", name=f"pool_to_P{level}", **options
        )(pooled[level - 1])
    pyramid = {}
    for level, width in zip(levels, widths, strict=True):
        name = f"P{level}"
        x = pooled[level] if level >= start else _upsample(features, start - level, name, dtype)
        for part, side in (("lateral", 1), ("output", 3)):
            x = keras.layers.Conv2D(
                width,
                side,
                padding="same",
                use_bias=False,  # the normalisation has one
                kernel_initializer=_kernels(),
                name=f"{name}_{part}",
                **options,
            )(x)
            x = _normalize(x, f"{name}_{part}_norm", dtype)
        pyramid[name] = keras.layers.Identity(name=name, dtype=dtype)(x)
    return pyramid


def _upsample(x, times, name, dtype):
    dim = x.shape[-1]
    for step in range(1, times + 1):
        if step > 1:
            x = _normalize(x, f"{name}_up_{step - 1}_norm", dtype)
            x = keras.layers.Activation("gelu", name=f"{name}_up_{step - 1}_gelu", dtype=dtype)(x)
        x = keras.layers.Conv2DTranspose(
            max(1, dim // 2 ** min(step, 2)),  # D/2, then D/4, the last that the paper has
            2,
            strides=2,
            kernel_initializer=_kernels(),
            name=f"{name}_up_{step}",
            data_format="channels_last",
            dtype=dtype,
        )(x)
    return x


def _normalize(x, name, dtype):
    return keras.layers.LayerNormalization(epsilon=1e-6, name=name, dtype=dtype)(x)


def _kernels():
    return keras.initializers.VarianceScaling(1 / 3, mode="fan_in", distribution="uniform")


def check_stride(stride: int) -> int:
    """The level of a stride.

    Raises:
        ValueError: If it is no power of two from 1 to 32.
    """
    if stride not in (1, 2, 4, 8, 16, 32):
        raise ValueError(
            "`patch_size` must be a power of two from 1 to 32, so that the levels of the pyramid "
            f"can be reached by doubling and halving. Received: {stride}"
        )
    return int(stride).bit_length() - 1


def check_levels(levels: Sequence[int]) -> tuple[int, ...]:
    """Levels as a tuple.

    Raises:
        ValueError: If they are no ascending integers from 0 to 9.
    """
    try:
        checked = tuple(operator.index(level) for level in levels)
    except TypeError:
        checked = ()
    ascending = checked and list(checked) == sorted(set(checked))
    if not ascending or checked[0] < 0 or checked[-1] > 9:
        raise ValueError(
            "`levels` must be ascending integers from 0 to 9 such as (2, 3, 4, 5). "
            f"Received: {levels!r}"
        )
    return checked


def check_channels(channels: int | Sequence[int], levels: tuple[int, ...]) -> tuple[int, ...]:
    """Channels of each level.

    Raises:
        ValueError: If they are neither a positive integer nor one for each level.
    """
    try:
        widths = (operator.index(channels),) * len(levels)
    except TypeError:
        try:
            widths = tuple(operator.index(width) for width in channels)
        except TypeError:
            widths = ()
    if len(widths) != len(levels) or min(widths) < 1:
        raise ValueError(
            f"`channels` must be a positive integer or {len(levels)} of them, one for each level. "
            f"Received: {channels!r}"
        )
    return widths
