"""How a new Tucker product starts: as the kernels of a plain network."""

from __future__ import annotations

import numpy as np

from sweet_keras.core.blocks import ATTENTION_BLOCKS, blocks_per_layer
from sweet_keras.core.cost import Ranks
from sweet_keras.core.size import ViTSize
from sweet_keras.core.tucker import Factors

# Length of what a layer adds to the matrices that it shares with its neighbours.
_DIFFERENCE = 0.3


def aligned_start(
    size: ViTSize, ranks: Ranks, rng: np.random.Generator, mlp_ratio: int = 4
) -> Factors:
    """Draws G, X, U, V such that each block starts as a matrix of the core.

    The scalers start as parts of the identity: channel i of the input is index i of the core's
    second axis, channel j of the output index j of the third, block b of a layer a matrix of its
    own. With ranks as long as their axes W is then G, whose variance for each kind of kernel is
    Xavier's, and an optimizer's step of G is the step of the kernels of a plain network. With fewer
    matrices than blocks, neighbouring layers share theirs and each adds a little of all others;
    channels beyond a rank start as random combinations. All rows of the scalers have length one.

    Args:
        size: Depth and width.
        ranks: (r1, r2, r3).
        rng: Where the numbers come from.
        mlp_ratio: Width of the MLP over D, m.

    Returns:
        G (r1, r2, r3), X ((4 + 2m)L, r1), U (D, r2), V (D, r3), float32.
    """
    count = blocks_per_layer(mlp_ratio)
    core = rng.standard_normal(ranks) / np.sqrt(size.embed_dim)  # Xavier: 2 / (D + D)
    # The MLP's blocks are parts of kernels of D x mD: 2 / (D + mD).
    of_mlp = np.arange(ranks[0]) % count >= ATTENTION_BLOCKS
    core[of_mlp] *= np.sqrt(2 / (1 + mlp_ratio))
    return Factors(
        core.astype("float32"),
        _layer_rows(size.depth, count, ranks[0], rng),
        *(_channel_rows(size.embed_dim, rank, rng) for rank in ranks[1:]),
    )


def _layer_rows(depth: int, count: int, rank: int, rng: np.random.Generator) -> np.ndarray:
    """X (count * depth, rank): groups of neighbouring layers share `count` matrices."""
    groups = min(depth, rank // count)
    if groups == depth:
        return np.eye(count * depth, rank, dtype="float32")
    rows = rng.standard_normal((depth, count, rank)) / np.sqrt(rank)
    if groups:
        block = np.arange(count)
        rows *= _DIFFERENCE
        for layer in range(depth):
            rows[layer, block, layer * groups // depth * count + block] += 1
    return _unit(rows.reshape(-1, rank))


def _channel_rows(dim: int, rank: int, rng: np.random.Generator) -> np.ndarray:
    """U or V (dim, rank): the identity on top of random rows."""
    rows = _unit(rng.standard_normal((dim, rank)))
    own = min(dim, rank)
    rows[:own] = np.eye(own, rank)
    return rows


def _unit(rows: np.ndarray) -> np.ndarray:
    scaled: np.ndarray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return scaled.astype("float32")
