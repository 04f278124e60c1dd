"""How a new Tucker product starts: as the kernels of a plain network."""

from __future__ import annotations

import numpy as np

from sweet_keras.core.blocks import BLOCKS_PER_LAYER, MLP_IN, MLP_RATIO
from sweet_keras.core.cost import Ranks
from sweet_keras.core.resize import depth_map
from sweet_keras.core.size import ViTSize
from sweet_keras.core.tucker import Factors


def aligned_start(size: ViTSize, ranks: Ranks, rng: np.random.Generator) -> Factors:
    """Draws G, X, U, V such that each block starts as a matrix of the core, if there are enough.

    The scalers start as parts of the identity: channel i of the input is index i of the core's
    second axis, channel j of the output index j of the third, block b of a layer a matrix of its
    own. With ranks as long as their axes W is then G, whose variance for each kind of kernel is
    Xavier's, and an optimizer's step of G is the step of the kernels of a plain network. With fewer
    matrices than blocks, evenly spaced layers have their own and the others start as random
    combinations of all; channels beyond a rank likewise. All rows have length one.

    Args:
        size: Depth and width.
        ranks: (r1, r2, r3).
        rng: Where the numbers come from.

    Returns:
        G (r1, r2, r3), X (12L, r1), U (D, r2), V (D, r3), float32.
    """
    dim = size.embed_dim
    layers = min(size.depth, ranks[0] // BLOCKS_PER_LAYER)
    blocks = np.arange(BLOCKS_PER_LAYER * size.depth).reshape(size.depth, BLOCKS_PER_LAYER)
    own = blocks[depth_map(size.depth, layers).argmax(axis=1)].ravel() if layers else blocks[:0, 0]
    core = rng.standard_normal(ranks) / np.sqrt(dim)  # Xavier: 2 / (D + D)
    # The MLP's blocks are parts of kernels of D x 4D: 2 / (D + 4D).
    of_mlp = np.arange(len(own)) % BLOCKS_PER_LAYER >= MLP_IN.start
    core[: len(own)][of_mlp] *= np.sqrt(2 / (1 + MLP_RATIO))
    return Factors(
        core.astype("float32"),
        _rows(blocks.size, ranks[0], own, rng),
        *(_rows(dim, rank, np.arange(min(dim, rank)), rng) for rank in ranks[1:]),
    )


def _rows(count: int, rank: int, own: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows (count, rank) of length one; row own[i] is the i-th unit vector, the others random."""
    rows = rng.standard_normal((count, rank))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[own] = np.eye(len(own), rank)
    return rows.astype("float32")
