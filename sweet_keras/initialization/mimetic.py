"""Attention that starts as trained attention looks, without training."""

from __future__ import annotations

import numpy as np

from sweet_keras.models.vit_backbone import ViTBackbone


def mimetic(
    vit: ViTBackbone,
    seed: int,
    *,
    query_key: tuple[float, float] = (0.4, 0.4),
    value_output: tuple[float, float] = (0.7, 0.7),
) -> None:
    """Sets the attention kernels of a network in place; everything else stays as it is.

    With Z ~ N(0, 1/D): for each head W_q W_kᵀ becomes the best approximation of rank head_dim to
    alpha Z + beta I, and W_v W_o is alpha Z - beta I, each product split evenly by its singular
    values. The method goes with sin-cos positions.

    Args:
        vit: A built network.
        seed: Of Z.
        query_key: (alpha, beta) of W_q W_kᵀ.
        value_output: (alpha, beta) of W_v W_o.

    Reference:
        Trockman and Kolter, Mimetic Initialization of Self-Attention Layers, 2305.09828.
    """
    rng = np.random.default_rng(seed)
    dim, head_dim = vit.embed_dim, vit.head_dim
    arrays = vit.arrays()
    qkv, output = arrays["qkv/kernel"], arrays["output/kernel"]  # (L, D, 3D), (L, D, D)
    for layer in range(vit.size.depth):
        for start in range(0, dim, head_dim):
            head = slice(start, start + head_dim)
            left, right = _halves(rng, dim, *query_key)
            qkv[layer, :, :dim][:, head] = left[:, :head_dim]
            qkv[layer, :, dim : 2 * dim][:, head] = right[:, :head_dim]
        alpha, beta = value_output
        left, right = _halves(rng, dim, alpha, -beta)
        qkv[layer, :, 2 * dim :] = left
        output[layer] = right.T
    vit.load_arrays(arrays)


def _halves(
    rng: np.random.Generator, dim: int, alpha: float, beta: float
) -> tuple[np.ndarray, np.ndarray]:
    """A, B (D, D) with A Bᵀ = alpha Z + beta I, the strongest singular directions first."""
    noise = rng.standard_normal((dim, dim)) / np.sqrt(dim)
    left, values, right = np.linalg.svd(alpha * noise + beta * np.eye(dim))
    root = np.sqrt(values)
    return left * root, right.T * root
