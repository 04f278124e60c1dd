"""How another library names and lays out the arrays of a vision transformer.

A table says for each of our arrays (see `sweet_keras.core.schema`) the foreign name, its axes, and
the same axes in our order, letters being

======= ============================== ======= ===================================
`D I`   channels written, summed over  `H d`   heads, channels of a head
`3D`    query, key, value              `p q C` rows, columns, colours of a patch
`K`     hidden channels of the MLP     `1`     an axis of length one
======= ============================== ======= ===================================

One table serves both directions: reading transposes to our order and reshapes, writing reshapes to
our order of the foreign axes and transposes back.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

Sizes = dict[str, int]


@dataclasses.dataclass(frozen=True)
class Entry:
    """One of our arrays in another library; where it has an axis of layers, one layer of it.

    Attributes:
        theirs: Its name there, `{}` standing for the layer; three names where query, key and value
            lie apart.
        axes: Of each foreign array.
        ours: The same axes in our order, by default as they are.
        optional: Whether it may be missing; then it is zero.
    """

    theirs: str | tuple[str, ...]
    axes: str
    ours: str | None = None
    optional: bool = False

    def names(self, layer: int | str = 0) -> list[str]:
        """The foreign names, of one layer."""
        theirs = (self.theirs,) if isinstance(self.theirs, str) else self.theirs
        return [name.format(layer) for name in theirs]

    def shape(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """The shape of each foreign array."""
        return tuple(_length(axis, sizes) for axis in self.axes.split())

    def bind(self, shape: tuple[int, ...]) -> Sizes:
        """The sizes that a foreign shape says; empty if it has another number of axes."""
        axes = self.axes.split()
        if len(axes) != len(shape):
            return {}
        return {axis: size for axis, size in zip(axes, shape, strict=True) if axis != "1"}

    def read(self, parts: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
        """Our array of foreign ones.

        Args:
            parts: One for each name.
            shape: Ours, without the axis of layers.
        """
        axes = self.axes.split()
        order = [axes.index(axis) for axis in self._ours()]
        parts = [part.transpose(order) for part in parts]
        if len(parts) == 1:
            return parts[0].reshape(shape)
        # Query, key and value: side by side for kernels, (3, D) for biases.
        if "I" not in axes:
            return np.stack([part.reshape(shape[1:]) for part in parts])
        return np.concatenate([part.reshape(shape[0], -1) for part in parts], axis=1)

    def write(self, array: np.ndarray, sizes: Mapping[str, int]) -> list[np.ndarray]:
        """The inverse of `read`: foreign arrays, one for each name."""
        axes, ours = self.axes.split(), self._ours()
        parts = [array]
        if not isinstance(self.theirs, str):
            parts = np.split(array, len(self.theirs), axis=1 if "I" in axes else 0)
        lengths = [_length(axis, sizes) for axis in ours]
        back = [ours.index(axis) for axis in axes]
        return [
            np.ascontiguousarray(part.reshape(lengths).transpose(back), "float32") for part in parts
        ]

    def _ours(self) -> list[str]:
        return (self.ours or self.axes).split()


@dataclasses.dataclass(frozen=True)
class NameTable:
    """A format.

    Attributes:
        library: Its name, in messages.
        entries: By the names of `sweet_keras.core.schema`: embedding, norms, kernels, biases.
        class_token: Name of the class token, any axes of length one before D.
        register_tokens: Name of the register tokens.
        flat_positions: Whether that table is written without an axis of length one.
        positions: Name of the table of positions; (T, D) after axes of length one, where T counts
            the patches, and the class token before them or not.
        layer_scale: Names of the two scales of a layer, or none where the library has none.
        prefixes: What may stand before all names, such as the name of the model in a classifier.
        aliases: Regular expressions and what they are replaced by, for other versions' names.
        ignored: Regular expression of names that belong to no backbone, such as a head's.
        refused: Regular expressions of names that change the function, and what they are.
        resampling: How the library interpolates positions; see `sweet_keras.formats.positions`.
        fixed_positions: Whether networks without a table have the sin-cos positions of MoCo v3.
        epsilon: Of its LayerNorm where no configuration says it.
        activation: Of its MLP where no configuration says it.
        pixel_mean: What is subtracted from pixels in 0..1 where nothing says it.
        pixel_std: What they are divided by then.
    """

    library: str
    entries: Mapping[str, Entry]
    class_token: str | None
    positions: str
    register_tokens: str | None = None
    flat_positions: bool = False
    layer_scale: tuple[str, str] | None = None
    prefixes: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    ignored: str = r"$^"
    refused: tuple[tuple[str, str], ...] = ()
    resampling: str = "bicubic"
    fixed_positions: bool = False
    epsilon: float = 1e-6
    activation: str = "gelu"
    pixel_mean: tuple[float, ...] = (0.5,)
    pixel_std: tuple[float, ...] = (0.5,)


def _length(axis: str, sizes: Mapping[str, int]) -> int:
    if axis in sizes:
        return sizes[axis]
    digits = axis.rstrip("D")
    return int(digits) * (sizes["D"] if digits != axis else 1)


def linear(theirs: str, out: str, into: str) -> dict[str, Entry]:
    """The kernel and bias of a linear map of torch, whose kernels are (out, in)."""
    return {
        "kernel": Entry(f"{theirs}.weight", f"{out} {into}", f"{into} {out}"),
        "bias": Entry(f"{theirs}.bias", out),
    }


def norm(theirs: str) -> dict[str, Entry]:
    """The scale and bias of a LayerNorm of torch."""
    return {"scale": Entry(f"{theirs}.weight", "D"), "bias": Entry(f"{theirs}.bias", "D")}


def convolution(theirs: str) -> dict[str, Entry]:
    """The kernel and bias of a patch embedding of torch."""
    return {
        "kernel": Entry(f"{theirs}.weight", "D C p q", "p q C D"),
        "bias": Entry(f"{theirs}.bias", "D"),
    }


def query_key_value(query: str, key: str, value: str) -> dict[str, Entry]:
    """Kernels and biases of three linear maps of torch; the biases may be missing."""
    names = (query, key, value)
    return {
        "kernel": Entry(tuple(f"{name}.weight" for name in names), "D I", "I D"),
        "bias": Entry(tuple(f"{name}.bias" for name in names), "D", optional=True),
    }


def named(**groups: Mapping[str, Entry]) -> dict[str, Entry]:
    """Joins groups of entries: `patch=convolution(..)` gives `"patch/kernel"` and so on."""
    return {
        f"{group}/{name}": entry for group, made in groups.items() for name, entry in made.items()
    }
