"""The ranks of the Tucker product."""

from __future__ import annotations

from collections.abc import Sequence

from sweet_keras.core.blocks import BLOCKS_PER_LAYER
from sweet_keras.core.cost import Ranks
from sweet_keras.core.size import ViTSize


def choose_ranks(size: ViTSize, ranks: Sequence[int] | str = "auto") -> Ranks:
    """Ranks given, or chosen for a size.

    A rank above the length of its axis adds nothing to a new template; a small network made from
    a large template has such ranks.

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
    whole = isinstance(ranks, Sequence) and all(type(rank) is int for rank in ranks)
    if not whole or len(ranks) != 3 or min(ranks) < 1:
        raise ValueError(f"`ranks` must be three positive integers or 'auto'. Received: {ranks!r}")
    r1, r2, r3 = ranks
    return r1, r2, r3
