"""The smaller networks within a large one that pre-training trains as well."""

from __future__ import annotations

from collections.abc import Sequence

from sweet_keras.core.size import ViTSize

KINDS = ("auto", "width", "depth")
# Shares of the depth and of the width, rounded up. A network is compiled for each pair.
_DEPTHS, _WIDTHS = (0.25, 0.5, 1.0), (0.25, 0.5, 0.75, 1.0)


def choose_subnetworks(
    size: ViTSize, subnetworks: str | Sequence[str | ViTSize] = "auto"
) -> tuple[ViTSize, ...]:
    """Sub-networks given, or chosen for a size.

    A sub-network has the first heads of the large one and evenly spaced layers of it.

    Args:
        size: Of the large network.
        subnetworks: Sizes such as `"L3H3"`, or `"width"`: a quarter, half and three quarters of the
            heads at full depth; `"depth"`: a quarter and half of the layers at full width;
            `"auto"`: all combinations of these with each other and with the full ones.

    Returns:
        Sizes smaller than `size`, smallest first; none if it cannot be made smaller.

    Raises:
        ValueError: If it is none of these, or a size is not smaller than the large one.
    """
    if isinstance(subnetworks, str):
        if subnetworks not in KINDS:
            raise ValueError(
                f"`subnetworks` must be {', '.join(map(repr, KINDS))}, or a list of sizes. "
                f"Received: {subnetworks!r}"
            )
        depths = _DEPTHS if subnetworks != "width" else (1.0,)
        widths = _WIDTHS if subnetworks != "depth" else (1.0,)
        pairs = {
            (-int(-size.depth * depth // 1), -int(-size.num_heads * width // 1))
            for depth in depths
            for width in widths
        } - {(size.depth, size.num_heads)}
        return tuple(ViTSize(*pair, size.head_dim) for pair in sorted(pairs))
    chosen = tuple(ViTSize.parse(text, size.head_dim) for text in subnetworks)
    for sub in chosen:
        if sub.depth > size.depth or sub.num_heads > size.num_heads or sub == size:
            raise ValueError(f"`subnetworks` must hold sizes smaller than {size}. Received: {sub}")
    return chosen
