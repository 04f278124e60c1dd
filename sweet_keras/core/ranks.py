"""The ranks of the Tucker product."""

from __future__ import annotations

from collections.abc import Sequence

from sweet_keras.core.blocks import blocks_per_layer
from sweet_keras.core.cost import Ranks
from sweet_keras.core.size import ViTSize


def choose_ranks(
    size: ViTSize, ranks: Sequence[int] | float | str = "auto", mlp_ratio: int = 4
) -> Ranks:
    """Ranks given, or chosen for a size.

    A rank above the length of its axis adds nothing to a new template; a small network made from
    a large template has such ranks.

    `"auto"` keeps every axis whole. Trained kernels have no axis along which they are simpler: half
    of its singular directions hold 55 to 60 % of the energy, hardly more than of random numbers
    (measured, see `docs/experiments.md`). A share below one is therefore a budget of parameters,
    kept by storing fewer matrices: the product costs least then, and neighbouring layers share.

    Args:
        size: Depth and width of the template.
        ranks: Three integers; `"auto"`; or the share of a dense network's kernels that G may have,
            in (0, 1].
        mlp_ratio: Width of the MLP over D.

    Raises:
        ValueError: If they are none of these.
    """
    blocks, dim = blocks_per_layer(mlp_ratio) * size.depth, size.embed_dim
    if isinstance(ranks, str):
        if ranks != "auto":
            raise ValueError(f"`ranks` must be three integers or 'auto'. Received: {ranks!r}")
        return blocks, dim, dim
    if isinstance(ranks, float):
        if not 0.0 < ranks <= 1.0:
            raise ValueError(f"`ranks` as a share must be in (0, 1]. Received: {ranks!r}")
        return max(1, int(ranks * blocks)), dim, dim
    whole = isinstance(ranks, Sequence) and all(type(rank) is int for rank in ranks)
    if not whole or len(ranks) != 3 or min(ranks) < 1:
        raise ValueError(f"`ranks` must be three positive integers or 'auto'. Received: {ranks!r}")
    r1, r2, r3 = ranks
    return r1, r2, r3
