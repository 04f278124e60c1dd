"""The names and axes of everything a vision transformer of this package is made of.

One table says it for the template, its file and the layers. An axis is named after what it counts:

======= ========================================================================
`L`     layers                        `M`     layers of the decoder
`B`     blocks, 4 + 2m a layer        `r1 r2 r3`  ranks
`D`     channels of a token, written  `I`     channels of a token, summed over
`N`     patches of the image          `P`     pixel values of a patch
`E`     channels of the decoder       `R`     register tokens
`m`     width of the MLP over D       `3 4`   numbers
======= ========================================================================

`3D` or `mD` are as many times D. Arrays with an `L` axis are stacked over the layers.
"""

from __future__ import annotations

from collections.abc import Mapping

Axes = tuple[str, ...]

FACTORS: dict[str, Axes] = {
    "core": ("r1", "r2", "r3"),
    "layer_scaler": ("B", "r1"),
    "input_scaler": ("I", "r2"),
    "output_scaler": ("D", "r3"),
}
EMBEDDING: dict[str, Axes] = {
    "patch/kernel": ("P", "D"),
    "patch/bias": ("D",),
    "positions": ("N", "D"),
}
CLASS_TOKEN: dict[str, Axes] = {"class_token": ("D",)}
REGISTERS: dict[str, Axes] = {"register_tokens": ("R", "D")}
BLOCK: dict[str, Axes] = {
    "norm1/scale": ("L", "D"),
    "norm1/bias": ("L", "D"),
    "qkv/bias": ("L", "3", "D"),
    "output/bias": ("L", "D"),
    "norm2/scale": ("L", "D"),
    "norm2/bias": ("L", "D"),
    "mlp_in/bias": ("L", "m", "D"),
    "mlp_out/bias": ("L", "D"),
}
LAYER_SCALE: dict[str, Axes] = {
    "layer_scale1": ("L", "D"),
    "layer_scale2": ("L", "D"),
}
FINAL_NORM: dict[str, Axes] = {
    "final_norm/scale": ("D",),
    "final_norm/bias": ("D",),
}
KERNELS: dict[str, Axes] = {
    "qkv/kernel": ("L", "I", "3D"),
    "output/kernel": ("L", "I", "D"),
    "mlp_in/kernel": ("L", "I", "mD"),
    "mlp_out/kernel": ("L", "mI", "D"),
}
# The decoder has a form of its own: its MLP is always four times as wide.
_TO_DECODER = {
    **{"L": "M", "D": "E", "I": "E", "3D": "3E"},
    **{"m": "4", "mD": "4E", "mI": "4E"},
}
DECODER: dict[str, Axes] = {
    "decoder/embed/kernel": ("I", "E"),
    "decoder/embed/bias": ("E",),
    "decoder/positions": ("N", "E"),
    "decoder/mask_token": ("E",),
    "decoder/pixels/kernel": ("E", "P"),
    "decoder/pixels/bias": ("P",),
    **{
        f"decoder/{name}": tuple(_TO_DECODER.get(axis, axis) for axis in axes)
        for name, axes in {**BLOCK, **KERNELS, **FINAL_NORM}.items()
    },
}


def rest(class_token: bool, layer_scale: bool, register_tokens: int = 0) -> dict[str, Axes]:
    """Everything outside the tensor W: embedding, biases, norms."""
    return {
        **EMBEDDING,
        **(CLASS_TOKEN if class_token else {}),
        **(REGISTERS if register_tokens else {}),
        **BLOCK,
        **(LAYER_SCALE if layer_scale else {}),
        **FINAL_NORM,
    }


def shape(axes: Axes, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The shape of an array with these axes, given the size of each letter."""

    def length(axis: str) -> int:
        if axis in sizes:
            return sizes[axis]
        return int(axis) if axis.isdigit() else length(axis[:-1]) * sizes[axis[-1]]

    return tuple(length(axis) for axis in axes)
