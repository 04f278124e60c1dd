"""The four linear maps of a layer, from kernels or straight from the factors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from keras import ops

from sweet_keras.core import blocks, tucker

Tensor = Any


class Projections(Protocol):
    """What a transformer block needs of its kernels; tokens are (..., D)."""

    def qkv(self, x: Tensor) -> Tensor:
        """(..., D) -> (..., 3D)."""

    def output(self, x: Tensor) -> Tensor:
        """(..., D) -> (..., D)."""

    def mlp_in(self, x: Tensor) -> Tensor:
        """(..., D) -> (..., mD)."""

    def mlp_out(self, x: Tensor) -> Tensor:
        """(..., mD) -> (..., D)."""

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

    def tensors(self) -> tuple[Tensor, ...]:
        return tuple(self.kernels)

    def with_tensors(self, tensors: Sequence[Tensor]) -> DenseProjections:
        return DenseProjections(blocks.Kernels(*tensors))

    def qkv(self, x: Tensor) -> Tensor:
        return ops.matmul(x, self.kernels.qkv)

    def output(self, x: Tensor) -> Tensor:
        return ops.matmul(x, self.kernels.output)

    def mlp_in(self, x: Tensor) -> Tensor:
        return ops.matmul(x, self.kernels.mlp_in)

    def mlp_out(self, x: Tensor) -> Tensor:
        return ops.matmul(x, self.kernels.mlp_out)


class FactoredProjections:
    """Applies ((x U) C) V^T; W never exists, nor its gradient.

    Args:
        slices: C (4 + 2m, r2, r3) of one layer.
        factors: U and V are read from it.
    """

    def __init__(self, slices: Tensor, factors: tucker.Factors):
        self.slices = slices
        self.mlp_in_blocks, self.mlp_out_blocks = blocks.mlp_slices(slices.shape[0])
        self.factors = factors

    def tensors(self) -> tuple[Tensor, ...]:
        return (self.slices, *self.factors)

    def with_tensors(self, tensors: Sequence[Tensor]) -> FactoredProjections:
        return FactoredProjections(tensors[0], tucker.Factors(*tensors[1:]))

    def qkv(self, x: Tensor) -> Tensor:
        return tucker.apply_side_by_side(x, self.slices[blocks.QKV], self.factors, ops)

    def output(self, x: Tensor) -> Tensor:
        output = self.slices[blocks.OUTPUT : blocks.OUTPUT + 1]
        return tucker.apply_side_by_side(x, output, self.factors, ops)

    def mlp_in(self, x: Tensor) -> Tensor:
        return tucker.apply_side_by_side(x, self.slices[self.mlp_in_blocks], self.factors, ops)

    def mlp_out(self, x: Tensor) -> Tensor:
        return tucker.apply_stacked(x, self.slices[self.mlp_out_blocks], self.factors, ops)
