"""The ranks of the Tucker product."""

from __future__ import annotations

from collections.abc import Sequence

from sweet_keras.core.blocks import BLOCKS_PER_LAYER
from sweet_keras.core.cost import Ranks
from sweet_keras.core.size import ViTSize


def choose_ranks(size: ViTSize, ranks: Sequence[int] | str = "auto") -> Ranks:
    """Ranks given, or chosen for a size.

    `"auto"` halves the axis over layers, where blocks resemble each other, and keeps the axes over
    channels whole.

    Args:
        size: Depth and width of the template.
        ranks: Three integers, or `"auto"`.

    Raises:
        ValueError: If they are neither.
    """
    blocks, dim = BLOCKS_PER_LAYER * size.depth, size.embed_dim
    if isinstance(ranks, str):
        if ranks != "auto":
            raise ValueError(f"`ranks` must be three integers or 'auto'. Received: {ranks!r}")
        return blocks // 2, dim, dim
    chosen = tuple(int(rank) for rank in ranks)
    limits = (blocks, dim, dim)
    if len(chosen) != 3 or not all(
        1 <= rank <= limit for rank, limit in zip(chosen, limits, strict=True)
    ):
        raise ValueError(
            f"`ranks` must be three integers from 1 to {limits} for {size}. Received: {ranks!r}"
        )
    return chosen
