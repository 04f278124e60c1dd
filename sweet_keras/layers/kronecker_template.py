"""The kernels of a vision transformer as sums of Kronecker products."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import ops

from sweet_keras.core import schema
from sweet_keras.core.kernel_types import KERNEL_TYPES, by_name, units
from sweet_keras.core.kronecker import kronecker_sum, template_counts
from sweet_keras.core.size import ViTSize

_TEMPLATE_SCALE = 1 / 3


@keras.saving.register_keras_serializable("sweet_keras")
class KroneckerTemplate(keras.layers.Layer):
    """Gives every layer its kernels, of each type as ``W^(l) = sum_t kron(S^(l,t), T^(t))``.

    Templates T are shared by the layers and by all places of a kernel; a scaler S says how much of
    each stands where. Query, key and value are types of their own.

    The variables are stored scaled, as in `TuckerTemplate` and for the same reason: ``S = raw /
    sqrt(n)``, ``T = raw / 3``. The rows of S over t start orthogonal and of length one (on average,
    where there are more rows than templates), and Var T is the Xavier variance of the kernel, so
    that Var W is too.

    Args:
        depth: Layers, L.
        num_heads: Heads.
        head_dim: Channels of a head; D = num_heads * head_dim.
        side: Side s of a template, a divisor of D. By default `head_dim`, which divides the width
            of every size. The greatest common divisor of the widths wanted lets the templates hold
            more, and the scalers less.
        templates: Templates of each type, one number or six, in the order of `KERNEL_TYPES`. By
            default half of what a kernel type needs at most (see
            `sweet_keras.core.kronecker.template_counts`).
        train_templates: Whether T is trained. The scalers always are.
        mlp_ratio: Width of the MLP over D.

    Returns:
        The kernels, (L, ...), by the names of `sweet_keras.core.schema`.

    Raises:
        ValueError: If `side` does not divide the width, or a number of templates is not positive.

    Reference:
        Feng et al., WAVE: Weight Template for Adaptive Initialization of Variable-sized Models,
        2406.17503. There, templates are concatenated and weighted: the same as kron(S, T).
    """

    names = tuple(schema.KERNELS)

    def __init__(
        self,
        depth: int,
        num_heads: int,
        head_dim: int,
        side: int | None = None,
        templates: int | Sequence[int] | None = None,
        train_templates: bool = True,
        mlp_ratio: int = 4,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.size = ViTSize(depth, num_heads, head_dim)
        self.depth = depth
        self.num_heads = num_heads
        self.head_dim = head_dim
        self.side = head_dim if side is None else side
        if type(self.side) is not int or self.side < 1 or self.size.embed_dim % self.side:
            raise ValueError(
                f"`side` must be a divisor of the width, {self.size.embed_dim}. Received: {side!r}"
            )
        self.grid = self.size.embed_dim // self.side
        if templates is None:
            square, wide = template_counts(depth, self.grid, self.side, mlp_ratio)
            templates = [wide if kind.startswith("mlp") else square for kind in KERNEL_TYPES]
        counts = [templates] * len(KERNEL_TYPES) if isinstance(templates, int) else list(templates)
        whole = all(type(count) is int and count > 0 for count in counts)
        if not whole or len(counts) != len(KERNEL_TYPES):
            raise ValueError(
                "`templates` must be one positive integer, or one for each of "
                f"{', '.join(KERNEL_TYPES)}. Received: {templates!r}"
            )
        self.templates = tuple(counts)
        self.train_templates = train_templates
        self.mlp_ratio = mlp_ratio
        self.template_variables, self.scaler_variables = {}, {}

    def build(self, input_shape=None):
        for kind, count in zip(KERNEL_TYPES, self.templates, strict=True):
            rows, columns = units(kind, self.mlp_ratio)
            xavier = (2 / (rows + columns) / self.size.embed_dim) ** 0.5
            self.template_variables[kind] = self.add_weight(
                (count, self.side, self.side),
                initializer=keras.initializers.RandomNormal(stddev=xavier / _TEMPLATE_SCALE),
                trainable=self.train_templates,
                name=f"{kind}_templates",
            )
            shape = (self.depth, rows * self.grid, columns * self.grid, count)
            blocks = shape[0] * shape[1] * shape[2]
            gain = max(1.0, blocks / count) ** 0.5 * count**0.5
            self.scaler_variables[kind] = self.add_weight(
                shape, initializer=keras.initializers.Orthogonal(gain), name=f"{kind}_scaler"
            )

    def kernel(self, kind: str):
        """The kernels of one type, (L, in, out)."""
        scalers = self.scaler_variables[kind]
        scalers = scalers * scalers.shape[-1] ** -0.5
        return kronecker_sum(scalers, self.template_variables[kind] * _TEMPLATE_SCALE, ops)

    def call(self, training=None):
        return by_name({kind: self.kernel(kind) for kind in KERNEL_TYPES}, ops)

    def get_config(self):
        names = "depth num_heads head_dim side templates train_templates mlp_ratio"
        return {**super().get_config(), **{name: getattr(self, name) for name in names.split()}}
