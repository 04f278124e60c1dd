"""The kernels of a layer, query, key and value apart, where each type is treated by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Array = Any

KERNEL_TYPES = ("query", "key", "value", "output", "mlp_in", "mlp_out")


def units(kind: str, mlp_ratio: int) -> tuple[int, int]:
    """Input and output axis of a kernel type, in units of the width."""
    return {"mlp_in": (1, mlp_ratio), "mlp_out": (mlp_ratio, 1)}.get(kind, (1, 1))


def by_name(kernels: Mapping[str, Array], xp: Any = np) -> dict[str, Array]:
    """Kernels (L, in, out) of all types, by the names of `sweet_keras.core.schema`."""
    return {
        "qkv/kernel": xp.concatenate([kernels[kind] for kind in KERNEL_TYPES[:3]], axis=-1),
        **{f"{kind}/kernel": kernels[kind] for kind in KERNEL_TYPES[3:]},
    }


def by_type(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The inverse of `by_name`."""
    qkv = np.split(arrays["qkv/kernel"], 3, axis=-1)
    others = [arrays[f"{kind}/kernel"] for kind in KERNEL_TYPES[3:]]
    return dict(zip(KERNEL_TYPES, [*qkv, *others], strict=True))
