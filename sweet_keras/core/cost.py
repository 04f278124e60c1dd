"""What the Tucker product costs, in multiply-adds, and the cheapest way to use it.

The choice is static: it depends on shapes only and is made when a layer is built.
"""

from __future__ import annotations

from typing import NamedTuple

from sweet_keras.core.blocks import ATTENTION_BLOCKS, blocks_per_layer
from sweet_keras.core.size import ViTSize
from sweet_keras.core.tucker import ORDERS

Ranks = tuple[int, int, int]


def contraction_cost(blocks: int, dim: int, ranks: Ranks, order: str) -> int:
    """Multiply-adds of contracting (r1, r2, r3) to (blocks, dim, dim) in `order`."""
    shape = dict(zip("xuv", ranks, strict=True))
    target = {"x": blocks, "u": dim, "v": dim}
    total = 0
    for axis in order:
        others = [shape[other] for other in "xuv" if other != axis]
        total += target[axis] * shape[axis] * others[0] * others[1]
        shape[axis] = target[axis]
    return total


def best_order(blocks: int, dim: int, ranks: Ranks) -> str:
    """The cheapest of the six orders."""
    return min(ORDERS, key=lambda order: contraction_cost(blocks, dim, ranks, order))


class Plan(NamedTuple):
    """How a template is used in a step."""

    materialize: bool  # build W once per step, or apply its factors to the tokens
    order: str  # of the contraction, when W is built
    multiply_adds: int  # of one forward pass over `tokens`, kernels only


def plan(size: ViTSize, ranks: Ranks, tokens: int, mlp_ratio: int = 4) -> Plan:
    """Picks between building W and never building it.

    Args:
        size: Depth and width of the network.
        ranks: (r1, r2, r3).
        tokens: Tokens that pass through the network in a step: batch x sequence length.
        mlp_ratio: Width of the MLP over D, m.

    Returns:
        The cheaper `Plan`. Per token a block costs D^2 multiply-adds once W is built. Halfway (see
        `kernel_product.contract_halfway`) a kernel of n blocks costs D r2 + r2 n D, or
        n D r3 + r3 D. With many tokens and m = 4 that is less where r2 = r3 < 0.75 D.
    """
    dim, depth = size.embed_dim, size.depth
    blocks = blocks_per_layer(mlp_ratio) * depth
    r1, r2, r3 = ranks
    order = best_order(blocks, dim, ranks)
    dense = contraction_cost(blocks, dim, ranks, order) + tokens * blocks * dim * dim
    # U for qkv, output and mlp_in, then what they have of V; U for mlp_out, then V.
    per_token = depth * dim * (r2 * (3 + ATTENTION_BLOCKS + mlp_ratio) + r3 * (mlp_ratio + 1))
    halfway = blocks * r2 * r3 * (r1 + dim) + tokens * per_token
    if halfway < dense:
        return Plan(False, order, halfway)
    return Plan(True, order, dense)
