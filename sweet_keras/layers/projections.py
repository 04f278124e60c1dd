"""The four linear maps of a layer, from kernels or straight from the factors."""

from __future__ import annotations

from typing import Any, Protocol

from keras import ops

from sweet_keras.core import blocks, tucker
from sweet_keras.layers.linear import linear

Tensor = Any


class Projections(Protocol):
    """What a transformer block needs of its kernels; tokens are (..., D), a bias may be added."""

    def qkv(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """(..., D), (3D,) -> (..., 3D)."""

    def output(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """(..., D), (D,) -> (..., D)."""

    def mlp_in(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """(..., D), (mD,) -> (..., mD)."""

    def mlp_out(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """(..., mD), (D,) -> (..., D)."""


class DenseProjections:
    """Applies kernels.

    Args:
        kernels: The `Kernels` of one layer.
    """

    def __init__(self, kernels: blocks.Kernels):
        self.kernels = kernels

    def narrow(self, dim: int) -> DenseProjections:
        """Those of the first `dim` channels: what a template's scalers, cut, would give."""
        if dim == self.kernels.output.shape[0]:
            return self
        return DenseProjections(blocks.narrow_kernels(self.kernels, dim, ops))

    def qkv(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        return linear(x, self.kernels.qkv, bias)

    def output(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        return linear(x, self.kernels.output, bias)

    def mlp_in(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        return linear(x, self.kernels.mlp_in, bias)

    def mlp_out(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        return linear(x, self.kernels.mlp_out, bias)


class FactoredProjections:
    """Applies ((x U) C) V^T; W never exists, nor its gradient.

    Args:
        slices: C (4 + 2m, r2, r3) of one layer.
        factors: U and V are read from it.
    """

    def __init__(self, slices: Tensor, factors: tucker.Factors):
        ends = [blocks.OUTPUT, blocks.ATTENTION_BLOCKS, blocks.mlp_slices(slices.shape[0])[1].start]
        self.slices = blocks.Kernels(*ops.split(slices, ends, axis=0))
        self.factors = factors

    def qkv(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        return self._side_by_side(x, self.slices.qkv, bias)

    def output(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        return self._side_by_side(x, self.slices.output, bias)

    def mlp_in(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        return self._side_by_side(x, self.slices.mlp_in, bias)

    def mlp_out(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        x = tucker.apply_stacked(x, self.slices.mlp_out, self.factors, ops)
        return x if bias is None else x + bias

    def _side_by_side(self, x: Tensor, slices: Tensor, bias: Tensor | None) -> Tensor:
        x = tucker.apply_side_by_side(x, slices, self.factors, ops)
        return x if bias is None else x + bias
