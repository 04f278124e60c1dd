"""Orders of channels, heads and hidden units that leave the function of a network as it is.

A slice keeps the first heads of every axis of width D. In a network that was not trained for it
they are as good as any others. Three kinds of permutation do not change what a network computes:

* of the channels of a token, the same everywhere (its outputs are permuted with them);
* of the heads of a layer: what query, key and value write, what the output kernel reads;
* of the hidden units of a layer's MLP.

The channels within a head could be permuted as well, but no slice cuts a head.

What counts is the energy, the sum of squares, that goes through: of a channel, what the kernels and
the final norm read from it; of a head and a hidden unit, what they write to the tokens. It follows
from the kernels and from the second moments of what they read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

Arrays = Mapping[str, np.ndarray]


class Moments(NamedTuple):
    """Mean squares of what the kernels of a network read, float64."""

    norm1: np.ndarray  # (L, D) of what query, key and value read
    attended: np.ndarray  # (L, H, d, d) mean outer products of what each head gives
    norm2: np.ndarray  # (L, D) of what the MLP reads
    hidden: np.ndarray  # (L, mD) of the activated hidden units
    final: np.ndarray  # (D,) of the network's output


class ChannelOrder(NamedTuple):
    """Which old one stands at each new place."""

    channels: np.ndarray  # (D,)
    heads: np.ndarray  # (L, H)
    hidden: np.ndarray  # (L, mD)


def moments_of_weights(arrays: Arrays, num_heads: int) -> Moments:
    """What the moments would be on average over all normalised tokens, the MLP and softmax linear.

    Args:
        arrays: Of a plain network, by the names of `sweet_keras.core.schema`.
        num_heads: Heads of each layer.
    """

    def square(name: str) -> np.ndarray:
        array: np.ndarray = np.square(arrays[name].astype("float64"))
        return array

    norm1, norm2, final = (
        square(f"{name}/scale") + square(f"{name}/bias")
        for name in ("norm1", "norm2", "final_norm")
    )
    depth, dim = norm1.shape
    hidden_bias = square("mlp_in/bias").reshape(depth, -1)
    attended, hidden = [], []
    for layer in range(depth):
        value = _heads(arrays["qkv/kernel"][layer, :, 2 * dim :], num_heads)  # (H, D, d)
        bias = arrays["qkv/bias"][layer, 2].reshape(num_heads, 1, -1)
        read = np.einsum("hia,i,hib->hab", value, norm1[layer], value, optimize=True)
        attended.append(read + bias.swapaxes(1, 2) * bias)
        kernel = np.square(arrays["mlp_in/kernel"][layer].astype("float64"))
        hidden.append(norm2[layer] @ kernel + hidden_bias[layer])
    return Moments(norm1, np.stack(attended), norm2, np.stack(hidden), final)


def order_by_energy(arrays: Arrays, moments: Moments) -> ChannelOrder:
    """The order in which the first places have the most energy.

    Args:
        arrays: Of a plain network, by the names of `sweet_keras.core.schema`.
        moments: Of the same network.

    Returns:
        An order. Hidden units are dealt out over the blocks of `mlp_in`, so that the first columns
        of each block have the most.
    """
    depth, num_heads = moments.attended.shape[:2]
    dim, width = len(moments.final), moments.hidden.shape[1]
    channels = moments.final.copy()
    heads, hidden = [], []
    for layer in range(depth):
        qkv, output, mlp_in, mlp_out = (
            arrays[f"{name}/kernel"][layer].astype("float64")
            for name in ("qkv", "output", "mlp_in", "mlp_out")
        )
        if "layer_scale1" in arrays:
            output, mlp_out = (
                kernel * arrays[name][layer]
                for kernel, name in ((output, "layer_scale1"), (mlp_out, "layer_scale2"))
            )
        channels += moments.norm1[layer] * np.square(qkv).sum(axis=1)
        channels += moments.norm2[layer] * np.square(mlp_in).sum(axis=1)
        written = output.reshape(num_heads, -1, dim)
        heads.append(
            np.einsum("haj,hab,hbj->h", written, moments.attended[layer], written, optimize=True)
        )
        hidden.append(moments.hidden[layer] * np.square(mlp_out).sum(axis=1))
    ranked = _falling(np.stack(hidden)).reshape(depth, dim, width // dim)
    return ChannelOrder(
        _falling(channels),
        _falling(np.stack(heads)),
        ranked.swapaxes(1, 2).reshape(depth, width),
    )


def permute(arrays: Arrays, order: ChannelOrder) -> dict[str, np.ndarray]:
    """The same network with its channels, heads and hidden units in another order.

    Args:
        arrays: Of a plain network, by the names of `sweet_keras.core.schema`; those of a masked
            autoencoder's decoder may be among them.
        order: The order.
    """
    depth, num_heads = order.heads.shape
    channels, dim = order.channels, len(order.channels)
    within = np.arange(dim).reshape(num_heads, -1)
    heads = within[order.heads].reshape(depth, dim)
    result = {}
    for name, array in arrays.items():
        if name == "qkv/bias":
            array = np.take_along_axis(array, heads[:, None], axis=2)
        elif name == "mlp_in/bias":
            flat = np.take_along_axis(array.reshape(depth, -1), order.hidden, axis=1)
            array = flat.reshape(array.shape)
        elif name == "decoder/embed/kernel":
            array = array[channels]
        elif name == "qkv/kernel":
            thirds = np.concatenate([heads + part * dim for part in range(3)], axis=1)
            array = np.take_along_axis(array[:, channels], thirds[:, None], axis=2)
        elif name == "mlp_in/kernel":
            array = np.take_along_axis(array[:, channels], order.hidden[:, None], axis=2)
        elif name == "output/kernel":
            array = np.take_along_axis(array[..., channels], heads[..., None], axis=1)
        elif name == "mlp_out/kernel":
            array = np.take_along_axis(array[..., channels], order.hidden[..., None], axis=1)
        elif not name.startswith("decoder/"):
            array = array[..., channels]
        result[name] = np.ascontiguousarray(array)
    return result


def _heads(kernel: np.ndarray, num_heads: int) -> np.ndarray:
    """(D, D) -> (H, D, d), the columns of each head, float64."""
    rows = len(kernel)
    return kernel.astype("float64").reshape(rows, num_heads, -1).swapaxes(0, 1)


def _falling(values: np.ndarray) -> np.ndarray:
    return np.argsort(-values, axis=-1, kind="stable")
