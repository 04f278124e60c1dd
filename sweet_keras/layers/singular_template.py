"""The kernels of a vision transformer between bases that all layers share."""

from __future__ import annotations

import keras
from keras import ops

from sweet_keras.core import schema
from sweet_keras.core.kernel_types import KERNEL_TYPES, by_name, units
from sweet_keras.core.size import ViTSize


@keras.saving.register_keras_serializable("sweet_keras")
class SingularTemplate(keras.layers.Layer):
    """Gives every layer its kernels, of each type as ``W^(l) = U diag(S^(l)) V^T``.

    U and V are shared by the layers; S^(l) is a layer's own. Query, key and value are types of
    their own (a decision of this project). At the start U and V are orthogonal, and S is drawn such
    that Var W is Xavier's.

    Args:
        depth: Layers, L.
        num_heads: Heads.
        head_dim: Channels of a head; D = num_heads * head_dim.
        rank: Columns of U and V, r; D by default.
        train_bases: Whether U and V are trained. S always is.
        mlp_ratio: Width of the MLP over D.

    Returns:
        The kernels, (L, ...), by the names of `sweet_keras.core.schema`.

    Raises:
        ValueError: If `rank` is not a positive integer.

    Reference:
        FINE: Factorizing Knowledge for Initialization of Variable-sized Diffusion Models,
        2409.19289.
    """

    names = tuple(schema.KERNELS)

    def __init__(
        self,
        depth: int,
        num_heads: int,
        head_dim: int,
        rank: int | None = None,
        train_bases: bool = True,
        mlp_ratio: int = 4,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.size = ViTSize(depth, num_heads, head_dim)
        self.depth = depth
        self.num_heads = num_heads
        self.head_dim = head_dim
        self.rank = self.size.embed_dim if rank is None else rank
        if type(self.rank) is not int or self.rank < 1:
            raise ValueError(f"`rank` must be a positive integer. Received: {rank!r}")
        self.train_bases = train_bases
        self.mlp_ratio = mlp_ratio
        self.input_bases, self.output_bases, self.scalers = {}, {}, {}

    def build(self, input_shape=None):
        dim = self.size.embed_dim
        orthogonal = keras.initializers.Orthogonal
        for kind in KERNEL_TYPES:
            rows, columns = units(kind, self.mlp_ratio)
            self.input_bases[kind] = self._basis(rows * dim, f"{kind}_input_basis", orthogonal())
            self.output_bases[kind] = self._basis(
                columns * dim, f"{kind}_output_basis", orthogonal()
            )
            # Xavier: Var W = 2 / (n + m), and n m Var W is the sum of the squares of S.
            variance = 2 * rows * columns * dim / (rows + columns) / self.rank
            self.scalers[kind] = self.add_weight(
                (self.depth, self.rank),
                initializer=keras.initializers.RandomNormal(stddev=variance**0.5),
                name=f"{kind}_scaler",
            )

    def _basis(self, length, name, initializer):
        return self.add_weight(
            (length, self.rank), initializer=initializer, trainable=self.train_bases, name=name
        )

    def kernel(self, kind: str):
        """The kernels of one type, (L, in, out)."""
        scaled = ops.expand_dims(self.scalers[kind], 1) * self.input_bases[kind]
        return ops.matmul(scaled, ops.transpose(self.output_bases[kind]))

    def call(self, training=None):
        return by_name({kind: self.kernel(kind) for kind in KERNEL_TYPES}, ops)

    def get_config(self):
        names = "depth num_heads head_dim rank train_bases mlp_ratio"
        return {**super().get_config(), **{name: getattr(self, name) for name in names.split()}}
