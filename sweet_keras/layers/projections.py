"""The four linear maps of a layer, from kernels or straight from the factors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from keras import ops

from sweet_keras.core import blocks, tucker
from sweet_keras.layers.linear import linear

Tensor = Any


class Projections(Protocol):
    """What a transformer block needs of its kernels.

    Tokens are (..., D); a bias may be added, its numbers in an array of any shape.
    """

    def qkv(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """(..., D), (3D,) -> (..., 3D)."""

    def output(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """(..., D), (D,) -> (..., D)."""

    def mlp_in(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """(..., D), (mD,) -> (..., mD)."""

    def mlp_out(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """(..., mD), (D,) -> (..., D)."""

    def tensors(self) -> tuple[Tensor, ...]:
        """What it computes with."""

    def with_tensors(self, tensors: Sequence[Tensor]) -> Projections:
        """The same with other tensors, in the order of `tensors`."""


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

    def tensors(self) -> tuple[Tensor, ...]:
        return tuple(self.kernels)

    def with_tensors(self, tensors: Sequence[Tensor]) -> DenseProjections:
        return DenseProjections(blocks.Kernels(*tensors))

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
        slices: Blocks (k, r2, r3) of C that belong to each of the four maps.
        factors: U and V are read from it.
    """

    def __init__(self, slices: blocks.Kernels, factors: tucker.Factors):
        self.slices = slices
        self.factors = factors

    @classmethod
    def of_layer(cls, slices: Tensor, factors: tucker.Factors) -> FactoredProjections:
        """From C (4 + 2m, r2, r3) of one layer."""
        ends = [blocks.OUTPUT, blocks.ATTENTION_BLOCKS, blocks.mlp_slices(slices.shape[0])[1].start]
        return cls(blocks.Kernels(*ops.split(slices, ends, axis=0)), factors)

    def tensors(self) -> tuple[Tensor, ...]:
        return (*self.slices, *self.factors)

    def with_tensors(self, tensors: Sequence[Tensor]) -> FactoredProjections:
        count = len(self.slices)
        slices, factors = blocks.Kernels(*tensors[:count]), tucker.Factors(*tensors[count:])
        return FactoredProjections(slices, factors)

    def qkv(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        return self._side_by_side(x, self.slices.qkv, bias)

    def output(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        return self._side_by_side(x, self.slices.output, bias)

    def mlp_in(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        return self._side_by_side(x, self.slices.mlp_in, bias)

    def mlp_out(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        x = tucker.apply_stacked(x, self.slices.mlp_out, self.factors, ops)
        return _plus(x, bias)

    def _side_by_side(self, x: Tensor, slices: Tensor, bias: Tensor | None) -> Tensor:
        x = tucker.apply_side_by_side(x, slices, self.factors, ops)
        return _plus(x, bias)


def _plus(x: Tensor, bias: Tensor | None) -> Tensor:
    return x if bias is None else x + ops.reshape(bias, (-1,))
