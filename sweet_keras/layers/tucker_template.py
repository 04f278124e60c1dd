"""The kernels of a vision transformer as a Tucker product."""

from __future__ import annotations

import random
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from sweet_keras.core import cost, tucker
from sweet_keras.core.aligned_start import aligned_start
from sweet_keras.core.blocks import Kernels, blocks_per_layer
from sweet_keras.core.kernel_product import contract_halfway, contract_to_kernels
from sweet_keras.core.ranks import choose_ranks
from sweet_keras.core.size import ViTSize
from sweet_keras.layers.head_prefix import HeadPrefix
from sweet_keras.layers.projections import DenseProjections, FactoredProjections, Projections
from sweet_keras.layers.tensor_of import tensor_of


@keras.saving.register_keras_serializable("sweet_keras")
class TuckerTemplate(keras.layers.Layer):
    """Holds G, X, U, V and gives every layer its kernels.

    W = G x1 X x2 U x3 V is never a free parameter. Depending on what is cheaper for the number of
    tokens, W is built once per call, or its factors are applied to the tokens one after another.

    It starts as the kernels of a plain network (see `sweet_keras.core.aligned_start`). The scalers
    are stored scaled: `U = raw / sqrt(D)`, say. An Adam-like step moves every number by about the
    learning rate, so these constants set how fast each factor moves in proportion to its size.
    Unscaled, U and V move far too fast, the product grows a few enormous singular values, and
    fine-tuning from it fails (measured; see `docs/method.md`).

    Args:
        depth: Layers, L.
        num_heads: Heads.
        head_dim: Channels of a head; D = num_heads * head_dim.
        ranks: (r1, r2, r3), ranks of the layer, input and output axes.
        tokens: Tokens of a step (batch x sequence), to choose how W is used.
        train_core: Whether G is trained. The scalers always are.
        mlp_ratio: Width of the MLP over D, m.

    Call arguments:
        prefix: `HeadPrefix` to narrow to, or `None` for the full width.
        layers: Which layers' kernels to make, `None` for all.

    Returns:
        A list of `Projections`, one for each of these layers.

    Raises:
        ValueError: If a rank is not a positive integer.
    """

    def __init__(
        self,
        depth: int,
        num_heads: int,
        head_dim: int,
        ranks: tuple[int, int, int],
        tokens: int = 12_544,
        train_core: bool = True,
        mlp_ratio: int = 4,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.size = ViTSize(depth, num_heads, head_dim)
        dim = self.size.embed_dim
        self.ranks = choose_ranks(self.size, ranks, mlp_ratio)
        self.depth = depth
        self.num_heads = num_heads
        self.head_dim = head_dim
        self.tokens = tokens
        self.train_core = train_core
        self.mlp_ratio = mlp_ratio
        self.remat = False  # a way to train, not part of the network: see `rematerialize`
        self.blocks_per_layer = blocks_per_layer(mlp_ratio)
        # Factor = multiplier * stored variable, in the order G, X, U, V.
        self.scales = tucker.Factors(1.0, self.ranks[0] ** -0.5, dim**-0.5, dim**-0.5)

    def build(self, input_shape=None):
        # Python's generator is the one that Keras seeds its initialisers from.
        rng = np.random.default_rng(random.getrandbits(64))
        start = aligned_start(self.size, self.ranks, rng, self.mlp_ratio)
        stored = {
            name: self.add_weight(
                array.shape,
                # Not assigned: Keras may build within a scope that forgets assignments.
                initializer=lambda shape, dtype=None, array=array, name=name: ops.convert_to_tensor(
                    array / np.float32(getattr(self.scales, name)), dtype
                ),
                trainable=name != "core" or self.train_core,
                name=name,
            )
            for name, array in start._asdict().items()
        }
        self.core, self.layer_scaler = stored["core"], stored["layer_scaler"]
        self.input_scaler, self.output_scaler = stored["input_scaler"], stored["output_scaler"]

    @property
    def variables_of_factors(self) -> tucker.Factors:
        """The stored (scaled) variables of G, X, U, V."""
        return tucker.Factors(self.core, self.layer_scaler, self.input_scaler, self.output_scaler)

    def plan(self, size: ViTSize) -> cost.Plan:
        """How W is used in a network of some size within this one."""
        return cost.plan(size, self.ranks, self.tokens, self.mlp_ratio)

    def factors(
        self, prefix: HeadPrefix | None = None, layers: Sequence[int] | None = None
    ) -> tucker.Factors:
        """G, X, U, V as tensors, X cut to the layers, U and V narrowed to the prefix."""
        prefix = prefix or HeadPrefix(self.num_heads, self.head_dim)
        layer_scaler = tensor_of(self.layer_scaler)
        if layers is not None and len(layers) != self.depth:
            by_layer = ops.reshape(layer_scaler, (self.depth, -1))
            layer_scaler = ops.reshape(
                ops.take(by_layer, np.asarray(layers), axis=0), (-1, self.ranks[0])
            )
        return tucker.Factors(
            core=tensor_of(self.core),  # its scale is 1: a product would be one more G
            layer_scaler=layer_scaler * self.scales.layer_scaler,
            input_scaler=prefix.rows(self.input_scaler * self.scales.input_scaler),
            output_scaler=prefix.rows(self.output_scaler * self.scales.output_scaler),
        )

    def call(
        self, prefix: HeadPrefix | None = None, layers: Sequence[int] | None = None
    ) -> list[Projections]:
        factors = self.factors(prefix, layers)
        depth = factors.layer_scaler.shape[0] // self.blocks_per_layer
        dim = factors.input_scaler.shape[0]
        plan = self.plan(ViTSize(depth, dim // self.head_dim, self.head_dim))

        def product(*factors):
            factors = tucker.Factors(*factors)
            if plan.materialize:
                return tuple(contract_to_kernels(factors, depth, plan.order, ops))
            return tuple(contract_halfway(factors, depth, ops))

        kernels = (keras.remat(product) if self.remat else product)(*factors)
        # Not `kernel[layer]`: each slice would have a gradient as large as all layers.
        layers = zip(*(ops.unstack(kernel, depth) for kernel in kernels), strict=True)
        if plan.materialize:
            return [DenseProjections(Kernels(*layer)) for layer in layers]
        scalers = factors.input_scaler, factors.output_scaler
        return [FactoredProjections(Kernels(*layer), *scalers) for layer in layers]

    def get_config(self):
        return {
            **super().get_config(),
            "depth": self.depth,
            "num_heads": self.num_heads,
            "head_dim": self.head_dim,
            "ranks": self.ranks,
            "tokens": self.tokens,
            "train_core": self.train_core,
            "mlp_ratio": self.mlp_ratio,
        }
