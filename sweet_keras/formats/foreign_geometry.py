"""The sizes of the network in a checkpoint, from the shapes of its arrays."""

from __future__ import annotations

import dataclasses
import math
import operator
from collections.abc import Iterator, Mapping, Sequence

from sweet_keras.core.size import ViTSize
from sweet_keras.core.template import grid_of
from sweet_keras.formats.name_table import NameTable
from sweet_keras.formats.recognise import check_names, depth_of
from sweet_keras.formats.stored import Stored

# Widths whose published models have 16 heads (Zhai et al., 2106.04560; MAE's ViT-H).
_SIXTEEN_HEADS = (1152, 1280, 1408, 1664, 1792)


@dataclasses.dataclass(frozen=True)
class Geometry:
    """What a `ViTBackbone` needs to know.

    Attributes:
        size: Depth, heads and their channels.
        patch_size: Side of a patch, in pixels.
        image_shape: (height, width, channels) of the network to make.
        native_grid: (rows, columns) that the positions are of, `None` if there are none.
        extra_positions: Rows of the table before those of the patches.
        class_token: Whether there is one.
        register_tokens: How many.
        mlp_ratio: Width of the MLP over D.
        layer_scale: Whether the branches have scales.
    """

    size: ViTSize
    patch_size: int
    image_shape: tuple[int, int, int]
    native_grid: tuple[int, int] | None
    extra_positions: int
    class_token: bool
    register_tokens: int
    mlp_ratio: int
    layer_scale: bool

    @property
    def grid(self) -> tuple[int, int]:
        """(rows, columns) of the network to make."""
        return grid_of(self.image_shape, self.patch_size)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Our arrays' shapes, of one layer, but for the tokens and positions."""
        dim, ratio = self.size.embed_dim, self.mlp_ratio
        vectors = "patch norm1 norm2 output mlp_out final_norm".split()
        return {
            "patch/kernel": (self.patch_size**2 * self.image_shape[2], dim),
            **{f"{name}/bias": (dim,) for name in vectors},
            **{f"{name}/scale": (dim,) for name in ("norm1", "norm2", "final_norm")},
            "qkv/kernel": (dim, 3 * dim),
            "qkv/bias": (3, dim),
            "output/kernel": (dim, dim),
            "mlp_in/kernel": (dim, ratio * dim),
            "mlp_in/bias": (ratio, dim),
            "mlp_out/kernel": (ratio * dim, dim),
        }


def read_geometry(
    table: NameTable,
    arrays: Mapping[str, Stored],
    *,
    num_heads: int | None,
    native_shape: Sequence[int] | None,
    image_shape: Sequence[int] | None,
) -> Geometry:
    """Reads the sizes, and checks every name and shape before anything is read.

    Args:
        table: The names.
        arrays: By the names of the table.
        num_heads: Heads, if known.
        native_shape: (height, width) that the positions are of, if known.
        image_shape: (height, width, channels) wanted; the channels may be left out.

    Raises:
        ValueError: If a name is missing or unknown, a shape does not fit, or something has to be
            said that the shapes do not say.
    """
    depth = depth_of(table, arrays)
    check_names(table, arrays, depth)
    sizes: dict[str, int] = {}
    for ours in ("patch/kernel", "qkv/kernel", "mlp_in/kernel"):
        entry = table.entries[ours]
        name = entry.names(0)[0]
        bound = entry.bind(arrays[name].shape)
        if not bound or min(bound.values()) < 1:
            raise ValueError(f"array {name!r} of shape {arrays[name].shape}")
        sizes = {**bound, **sizes}
    dim, patch = sizes["D"], sizes["p"]
    if sizes["q"] != patch:
        raise ValueError(f"patches of {patch} x {sizes['q']} pixels, which are not square")
    ratio = sizes["K"] // dim
    if sizes["K"] != ratio * dim or not ratio:
        raise ValueError(f"an MLP of {sizes['K']} channels, no whole multiple of {dim}")
    heads = sizes.get("H") or num_heads or _usual_heads(dim)
    if dim % heads:
        raise ValueError(f"{heads} heads for {dim} channels")
    if num_heads not in (None, heads):
        raise ValueError(f"{heads} heads, while {num_heads} are said")
    sizes |= {"I": dim, "H": heads, "d": dim // heads}
    for name, shape in _expected(table, arrays, sizes, depth):
        if name in arrays and arrays[name].shape != shape:
            raise ValueError(f"array {name!r} of shape {arrays[name].shape}, not {shape}")
    tokens = _token_counts(table, arrays, dim)
    return _with_grid(
        Geometry(
            size=ViTSize(depth, heads, dim // heads),
            patch_size=patch,
            image_shape=(patch, patch, sizes["C"]),
            native_grid=None,
            extra_positions=0,
            class_token=bool(tokens["class token"]),
            register_tokens=tokens["register tokens"],
            mlp_ratio=ratio,
            layer_scale=bool(table.layer_scale) and table.layer_scale[0].format(0) in arrays,
        ),
        tokens["positions"],
        native_shape,
        image_shape,
    )


def _usual_heads(dim: int) -> int:
    if dim in _SIXTEEN_HEADS:
        return 16
    if dim % 64:
        raise ValueError(f"{dim} channels, of which no heads of 64 can be made: say `num_heads`")
    return dim // 64


def _expected(
    table: NameTable, arrays: Mapping[str, Stored], sizes: Mapping[str, int], depth: int
) -> Iterator[tuple[str, tuple[int, ...]]]:
    for entry in table.entries.values():
        for layer in range(depth):
            for name in entry.names(layer):
                yield name, entry.shape(sizes)
    for scale in table.layer_scale or ():
        for layer in range(depth):
            yield scale.format(layer), (sizes["D"],)


def _token_counts(table: NameTable, arrays: Mapping[str, Stored], dim: int) -> dict[str, int]:
    """Rows of the class token, the register tokens and the positions."""
    names = {
        "class token": table.class_token,
        "register tokens": table.register_tokens,
        "positions": table.positions,
    }
    counts = dict.fromkeys(names, 0)
    for kind, name in names.items():
        if name in arrays:
            *lead, rows, last = (1, *arrays[name].shape)
            if last != dim or set(lead) - {1} or (kind == "class token" and rows != 1):
                raise ValueError(f"array {name!r} of shape {arrays[name].shape} for {kind}")
            counts[kind] = rows
    return counts


def _with_grid(
    geometry: Geometry,
    rows: int,
    native_shape: Sequence[int] | None,
    image_shape: Sequence[int] | None,
) -> Geometry:
    """Finds the grid that the positions are of, and the images to make the network for."""
    patch, channels = geometry.patch_size, geometry.image_shape[2]
    shape = None if image_shape is None else tuple(operator.index(side) for side in image_shape)
    if shape is not None and len(shape) == 2:
        shape = (*shape, channels)
    if shape is not None and (len(shape) != 3 or shape[2] != channels):
        raise ValueError(f"{channels} channels, while `image_shape` is {shape}")
    wanted = None if shape is None else grid_of(shape, patch)
    if not rows:
        if shape is None:
            raise ValueError("no positions: say `image_shape`")
        return dataclasses.replace(geometry, image_shape=shape)
    first = int(geometry.class_token)
    # Of the class token before those of the patches, of all that stands before, or of neither.
    possible = dict.fromkeys((first, first + geometry.register_tokens, 0))
    counts = {rows - extra: extra for extra in reversed(possible) if rows > extra}
    if native_shape is not None:
        height, width = (operator.index(side) for side in native_shape)
        grid = grid_of((height, width, channels), patch)
        if math.prod(grid) not in counts:
            raise ValueError(f"{rows} positions, not those of images of {height} x {width} pixels")
    else:
        square = [count for count in reversed(counts) if math.isqrt(count) ** 2 == count]
        if square:
            grid = (math.isqrt(square[0]),) * 2
        elif wanted is not None and math.prod(wanted) in counts:
            grid = wanted
        else:
            raise ValueError(f"{rows} positions, not those of a square: say `native_shape`")
    return dataclasses.replace(
        geometry,
        native_grid=grid,
        extra_positions=counts[math.prod(grid)],
        image_shape=shape or (grid[0] * patch, grid[1] * patch, channels),
    )
