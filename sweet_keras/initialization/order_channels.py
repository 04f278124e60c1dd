"""The same network, its channels ordered such that the first ones matter most."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from sweet_keras.core.blocks import Kernels
from sweet_keras.core.channel_order import (
    Arrays,
    ChannelOrder,
    Moments,
    moments_of_weights,
    order_by_energy,
    permute,
)
from sweet_keras.layers.projections import DenseProjections
from sweet_keras.models.pixel_range import warn_unless_pixels
from sweet_keras.models.vit_backbone import ViTBackbone

ORDERS = ("none", "energy", "activation")


def order_channels(
    vit: ViTBackbone, by: str = "energy", images: Any = None, batch_size: int = 16
) -> ViTBackbone:
    """Orders channels, heads and hidden units, the most important first.

    A network cut to its first heads then keeps what matters. The function stays as it is: the
    network gives the same tokens, their channels permuted.

    Args:
        vit: A trained network. It is left as it is.
        by: `"energy"`, from the weights alone, or `"activation"`, from what the kernels really read
            on images (see `sweet_keras.core.channel_order`).
        images: (n, height, width, channels), pixels in 0..255, for `"activation"`. A few hundred
            are enough; no labels.
        batch_size: Images that go through the network at once.

    Returns:
        A new network.

    Raises:
        ValueError: If `by` is unknown, or images are missing or not wanted.
    """
    arrays = vit.arrays()
    order = find_order(vit, arrays, by, images, batch_size)
    ordered = vit.twin()
    ordered.load_arrays(arrays if order is None else permute(arrays, order))
    return ordered


def find_order(
    vit: ViTBackbone, arrays: Arrays, by: str, images: Any, batch_size: int = 16
) -> ChannelOrder | None:
    """The order that `order_channels` brings a network into; `None` to leave it.

    Args:
        vit: The network.
        arrays: Its weights.
        by: See `order_channels`, or `"none"`.
        images: See `order_channels`.
        batch_size: See `order_channels`.

    Raises:
        ValueError: See `order_channels`.
    """
    if by not in ORDERS:
        raise ValueError(f"`order` must be one of {', '.join(ORDERS)}. Received: {by!r}")
    if (by == "activation") != (images is not None):
        raise ValueError(
            "`images` go with the order 'activation', and only with it. Received: "
            f"{by!r} and {'no' if images is None else 'some'} images"
        )
    if by == "none":
        return None
    if by == "energy":
        return order_by_energy(arrays, moments_of_weights(arrays, vit.size.num_heads))
    warn_unless_pixels(images)
    if not len(images) or not np.isfinite(images).all():
        raise ValueError(
            "`images` must hold one image or more, and no NaN. Received: an array of shape "
            f"{np.shape(images)}"
        )
    return order_by_energy(arrays, measure_moments(vit, images, batch_size))


def measure_moments(vit: ViTBackbone, images: Any, batch_size: int = 16) -> Moments:
    """The mean squares of what each kernel of a network reads, over images and tokens.

    Args:
        vit: The network.
        images: (n, height, width, channels), pixels in 0..255.
        batch_size: Images that go through the network at once.
    """
    recorders = [_Recorder(block) for block in vit.blocks]
    final = _Mean()
    for start in range(0, len(images), batch_size):
        batch = ops.convert_to_tensor(np.asarray(images[start : start + batch_size]))
        tokens = vit.patches(batch)
        for block, recorder in zip(vit.blocks, recorders, strict=True):
            tokens = block(tokens, projections=recorder, training=False)
        final.add(ops.square(ops.cast(vit.final_norm(tokens), "float32")))
    means = [recorder.means for recorder in recorders]
    return Moments(
        norm1=np.stack([mean["qkv"].value for mean in means]),
        attended=np.stack([mean["output"].value for mean in means]),
        norm2=np.stack([mean["mlp_in"].value for mean in means]),
        hidden=np.stack([mean["mlp_out"].value for mean in means]),
        final=final.value,
    )


class _Mean:
    """A running mean over all axes of a tensor but the last, in float64."""

    def __init__(self):
        self.total, self.count = 0.0, 0

    def add(self, x: Any) -> None:
        flat = ops.reshape(x, (-1, x.shape[-1]))
        self.add_mean(ops.mean(flat, axis=0), flat.shape[0])

    def add_mean(self, mean: Any, count: int) -> None:
        self.total = self.total + count * ops.convert_to_numpy(mean).astype("float64")
        self.count += count

    @property
    def value(self) -> np.ndarray:
        return self.total / self.count


class _Recorder(DenseProjections):
    """The kernels of a block, which remember the moments of what they read."""

    def __init__(self, block: Any):
        super().__init__(
            Kernels(
                block.qkv_kernel, block.output_kernel, block.mlp_in_kernel, block.mlp_out_kernel
            )
        )
        self.num_heads = block.num_heads
        self.means = {name: _Mean() for name in Kernels._fields}

    def _square(self, name: str, x: Any) -> None:
        self.means[name].add(ops.square(ops.cast(x, "float32")))

    def qkv(self, x: Any, bias: Any = None) -> Any:
        self._square("qkv", x)
        return super().qkv(x, bias)

    def output(self, x: Any, bias: Any = None) -> Any:
        tokens = x.shape[0] * x.shape[1]
        heads = ops.reshape(ops.cast(x, "float32"), (tokens, self.num_heads, -1))
        heads = ops.transpose(heads, (1, 2, 0))  # (H, d, tokens)
        outer = ops.matmul(heads, ops.transpose(heads, (0, 2, 1))) / tokens
        self.means["output"].add_mean(outer, tokens)
        return super().output(x, bias)

    def mlp_in(self, x: Any, bias: Any = None) -> Any:
        self._square("mlp_in", x)
        return super().mlp_in(x, bias)

    def mlp_out(self, x: Any, bias: Any = None) -> Any:
        self._square("mlp_out", x)
        return super().mlp_out(x, bias)
