"""A weight template: data, not a model."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sweet_keras.core import blocks, cost, resize, schema, tucker
from sweet_keras.core.form import check_form, form_of
from sweet_keras.core.kernel_product import contract_to_kernels
from sweet_keras.core.size import ViTSize

POSITIONS = ("sincos", "learned")


@dataclasses.dataclass(frozen=True, eq=False)
class SweetTemplate:
    """A Tucker-factored vision transformer, from which ViTs of any size start.

    Args:
        size: Depth and width of the network the factors describe.
        image_shape: (height, width, channels) it was trained on, in pixels.
        patch_size: Side of a patch, in pixels.
        arrays: float32 arrays by name; `sweet_keras.core.schema` lists names and axes.
        class_token: Whether a class token is prepended.
        positions: `"sincos"` (fixed) or `"learned"`.
        layer_scale: Whether the residual branches have a learned scale.
        register_tokens: Learned tokens after the class token, R.
        norm_epsilon: Of the LayerNorms.
        mlp_ratio: Width of the MLP over D, m.
        activation: Of the MLP, `"gelu"` or `"gelu_tanh"`.
        pixel_mean: Subtracted from the pixels, one for each channel, in 0..255.
        pixel_std: Divides the pixels after that.
        decoder: Size of the masked autoencoder's decoder, if its weights are kept for `adapt`.
        record: How it was trained: any JSON values.

    Raises:
        ValueError: If an array is missing, unknown, of another shape or not finite.

    Reference:
        Xie et al., Self-Supervised Weight Templates for Scalable Vision Model Initialization,
        arXiv 2601.19694.
    """

    size: ViTSize
    image_shape: tuple[int, int, int]
    patch_size: int
    arrays: Mapping[str, np.ndarray] = dataclasses.field(repr=False)
    class_token: bool = False
    positions: str = "sincos"
    layer_scale: bool = False
    register_tokens: int = 0
    norm_epsilon: float = 1e-6
    mlp_ratio: int = 4
    activation: str = "gelu"
    pixel_mean: tuple[float, ...] = (127.5,)
    pixel_std: tuple[float, ...] = (127.5,)
    decoder: ViTSize | None = None
    record: Mapping[str, Any] = dataclasses.field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        check_geometry(self.image_shape, self.patch_size)
        check_pixels(self.image_shape, self.pixel_mean, self.pixel_std)
        check_form(**form_of(self))
        if self.positions not in POSITIONS:
            raise ValueError(
                f"`positions` must be one of {', '.join(POSITIONS)}. Received: {self.positions!r}"
            )
        shapes = self.shapes()
        unknown = sorted(set(self.arrays) - set(shapes))
        missing = sorted(set(shapes) - set(self.arrays))
        if unknown or missing:
            raise ValueError(
                f"`arrays` must hold the arrays of {self.size}. Received: unknown names "
                f"{unknown}, missing names {missing}"
            )
        for name, expected in shapes.items():
            array = self.arrays[name]
            if array.shape != expected or array.dtype != np.float32:
                raise ValueError(
                    f"`arrays[{name!r}]` must be float32 of shape {expected}. "
                    f"Received: {array.dtype} of shape {array.shape}"
                )
            if not np.isfinite(array).all():
                raise ValueError(
                    f"`arrays[{name!r}]` must be finite. Received: "
                    f"{int((~np.isfinite(array)).sum())} values that are NaN or infinite"
                )

    @property
    def ranks(self) -> tuple[int, int, int]:
        """(r1, r2, r3): layers, input axis, output axis."""
        r1, r2, r3 = self.arrays["core"].shape
        return r1, r2, r3

    @property
    def blocks_per_layer(self) -> int:
        """4 + 2m, 12 in nearly all templates."""
        return blocks.blocks_per_layer(self.mlp_ratio)

    @property
    def grid(self) -> tuple[int, int]:
        """(rows, columns) of patches."""
        return grid_of(self.image_shape, self.patch_size)

    @property
    def factors(self) -> tucker.Factors:
        """G, X, U, V."""
        return tucker.Factors(*(self.arrays[name] for name in schema.FACTORS))

    @property
    def parameters(self) -> int:
        """Numbers stored, without the decoder."""
        return sum(
            array.size for name, array in self.arrays.items() if not name.startswith("decoder/")
        )

    def axes(self) -> dict[str, schema.Axes]:
        """Names and axes of its arrays."""
        return {
            **schema.FACTORS,
            **schema.rest(self.class_token, self.layer_scale, self.register_tokens),
            **({} if self.decoder is None else schema.DECODER),
        }

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes its arrays must have."""
        core = self.arrays.get("core")
        if core is None or core.ndim != 3 or 0 in core.shape:
            raise ValueError(
                "`arrays['core']` must have the shape (r1, r2, r3), no rank 0. Received: "
                f"{None if core is None else core.shape}"
            )
        rows, columns = self.grid
        sizes = {
            "L": self.size.depth,
            "B": self.blocks_per_layer * self.size.depth,
            "D": self.size.embed_dim,
            "I": self.size.embed_dim,
            "m": self.mlp_ratio,
            "R": self.register_tokens,
            "N": rows * columns,
            "P": self.patch_size**2 * self.image_shape[2],
            **dict(zip(("r1", "r2", "r3"), core.shape, strict=True)),
        }
        if self.decoder is not None:
            sizes |= {"M": self.decoder.depth, "E": self.decoder.embed_dim}
        return {name: schema.shape(axes, sizes) for name, axes in self.axes().items()}

    def kernels(self) -> blocks.Kernels:
        """Builds W and lays it out: kernels with a leading axis of L layers, float32."""
        depth, dim = self.size.depth, self.size.embed_dim
        order = cost.best_order(self.blocks_per_layer * depth, dim, self.ranks)
        return contract_to_kernels(self.factors, depth, order)

    def resize(
        self,
        size: ViTSize | str,
        image_shape: Sequence[int] | None = None,
        depth_map: str = "nearest",
    ) -> SweetTemplate:
        """Starts another size: the core stays, scalers and the rest are cut or repeated.

        Args:
            size: The target, such as `"L6H6"`; its heads keep their dimension. Narrower: the first
                heads. Wider: the heads repeated, so that whole multiples keep the function.
            image_shape: (height, width, channels) of the target. Channels must stay the same. The
                table of positions is interpolated, sin-cos or learned: a patch keeps the code of
                its place in the image.
            depth_map: `"nearest"` evenly spaced layers, or `"linear"` interpolation.

        Raises:
            ValueError: If the head dimension or the channels differ.
        """
        target = ViTSize.parse(size, self.size.head_dim)
        if target.head_dim != self.size.head_dim:
            raise ValueError(
                f"`size` must have heads of {self.size.head_dim} channels, as the template. "
                f"Received: {target!r}"
            )
        shape = tuple(image_shape or self.image_shape)
        grid = grid_of(shape, self.patch_size)
        if shape[2] != self.image_shape[2]:
            raise ValueError(
                f"`image_shape` must have {self.image_shape[2]} channels, as the template. "
                f"Received: {shape}"
            )
        layers = resize.depth_map(self.size.depth, target.depth, depth_map)
        by_block = np.kron(layers, np.eye(self.blocks_per_layer))
        arrays = {}
        for name, axes in self.axes().items():
            array = resize.resize_array(self.arrays[name], axes, target.embed_dim, layers)
            if "B" in axes:
                array = resize.resize_depth(array, by_block)
            elif "N" in axes:
                array = resize.resize_grid(array, self.grid, grid)
            arrays[name] = np.ascontiguousarray(array)
        return dataclasses.replace(
            self, size=target, image_shape=(shape[0], shape[1], shape[2]), arrays=arrays
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes one safetensors file, atomically."""
        from sweet_keras.core.template_file import save_template

        save_template(self, path)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> SweetTemplate:
        """Reads a file written by `save`; nothing in it is executed.

        Raises:
            ValueError: If the file is foreign, truncated, inconsistent or holds NaN.
        """
        from sweet_keras.core.template_file import load_template

        return load_template(path)


def check_geometry(image_shape: tuple[int, ...], patch_size: int) -> None:
    """Raises ValueError unless whole patches cover the image."""
    sizes = (*image_shape, patch_size)
    if len(sizes) != 4 or any(not isinstance(size, int) or size < 1 for size in sizes):
        raise ValueError(
            "`image_shape` must be three positive integers (height, width, channels) and "
            f"`patch_size` one. Received: {image_shape!r}, {patch_size!r}"
        )
    if image_shape[0] % patch_size or image_shape[1] % patch_size:
        raise ValueError(
            f"`image_shape` must have sides that are multiples of `patch_size`={patch_size}. "
            f"Received: {tuple(image_shape)}"
        )


def check_pixels(
    image_shape: tuple[int, ...], mean: tuple[float, ...], std: tuple[float, ...]
) -> None:
    """Raises ValueError unless there is one mean and positive deviation for all or each channel."""
    for name, values in {"pixel_mean": mean, "pixel_std": std}.items():
        if len(values) not in (1, image_shape[2]) or not np.isfinite(values).all():
            raise ValueError(
                f"`{name}` must be one finite number, or {image_shape[2]}, one for each channel. "
                f"Received: {values!r}"
            )
    if min(std) <= 0:
        raise ValueError(f"`pixel_std` must be positive. Received: {std!r}")


def grid_of(image_shape: tuple[int, ...], patch_size: int) -> tuple[int, int]:
    """(rows, columns) of patches."""
    check_geometry(image_shape, patch_size)
    return image_shape[0] // patch_size, image_shape[1] // patch_size
