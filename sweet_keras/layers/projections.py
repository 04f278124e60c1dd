"""The four linear maps of a layer, from kernels or from products of factors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from keras import ops

from sweet_keras.core import blocks
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

    def narrow(self, dim: int) -> Projections:
        """Those of the first `dim` channels: what a template's scalers, cut, would give."""

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
    """Applies each kernel as a product of two matrices; W never exists, nor its gradient.

    Args:
        halves: Of one layer, see `sweet_keras.core.kernel_product.contract_halfway`.
        input_scaler: U (D, r2).
        output_scaler: V (D, r3).
    """

    def __init__(self, halves: blocks.Kernels, input_scaler: Tensor, output_scaler: Tensor):
        self.halves = halves
        self.input_scaler = input_scaler
        self.output_scaler = output_scaler

    def narrow(self, dim: int) -> FactoredProjections:
        full = self.input_scaler.shape[0]
        if dim == full:
            return self
        halves = blocks.Kernels(
            qkv=blocks.narrow_columns(self.halves.qkv, full, dim, ops),
            output=self.halves.output[:, :dim],
            mlp_in=blocks.narrow_columns(self.halves.mlp_in, full, dim, ops),
            mlp_out=blocks.narrow_rows(self.halves.mlp_out, full, dim, ops),
        )
        return FactoredProjections(halves, self.input_scaler[:dim], self.output_scaler[:dim])

    def tensors(self) -> tuple[Tensor, ...]:
        return (*self.halves, self.input_scaler, self.output_scaler)

    def with_tensors(self, tensors: Sequence[Tensor]) -> FactoredProjections:
        *halves, input_scaler, output_scaler = tensors
        return FactoredProjections(blocks.Kernels(*halves), input_scaler, output_scaler)

    def qkv(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        return linear(linear(x, self.input_scaler), self.halves.qkv, bias)

    def output(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        return linear(linear(x, self.input_scaler), self.halves.output, bias)

    def mlp_in(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        return linear(linear(x, self.input_scaler), self.halves.mlp_in, bias)

    def mlp_out(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        return linear(linear(x, self.halves.mlp_out), ops.transpose(self.output_scaler), bias)
