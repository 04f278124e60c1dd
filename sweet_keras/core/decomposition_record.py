"""How well a Tucker product stands for the kernels it was made from, as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sweet_keras.core.blocks import block_names
from sweet_keras.core.hooi import Approximation, Axis, Parts, block_errors
from sweet_keras.core.kernel_types import KERNEL_TYPES

AXES = ("layers", "inputs", "outputs")
_MAX_VALUES = 48  # of an axis that are written down


def decomposition_record(
    parts: Parts, made: Approximation, axes: tuple[Axis, Axis, Axis], mlp_ratio: int
) -> dict[str, Any]:
    """What a template's record says of its making.

    Args:
        parts: W, a part for each layer.
        made: What stands for it.
        axes: The singular values of W.
        mlp_ratio: Width of the MLP over D.

    Returns:
        `error`, the relative error of W: the length of the difference over that of W; `errors`, the
        same for the kernels of each kind, a number for each layer; `spectrum`, for each axis some
        `ranks` and the share of the energy that each of them would `keep`; and `sweeps`.
    """
    depth = len(parts)
    missed, energy = (squares.reshape(depth, -1) for squares in block_errors(parts, made.factors))
    kinds = np.array([name.rstrip("_0123456789") for name in block_names(mlp_ratio)])
    errors = {
        kind: _ratio(missed[:, kinds == kind].sum(axis=1), energy[:, kinds == kind].sum(axis=1))
        for kind in KERNEL_TYPES
    }
    return {
        "error": _ratio(missed.sum()[None], energy.sum()[None])[0],
        "errors": errors,
        "spectrum": {name: _kept(axis) for name, axis in zip(AXES, axes, strict=True)},
        "sweeps": made.sweeps,
    }


def read_decomposition(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """What `decomposition_record` made, from the record of a template; empty if it is not there.

    Records may hold anything, since files come from anywhere.
    """
    found: Any = record.get("decomposition")
    try:
        lists: list[Any] = [found["errors"][kind] for kind in KERNEL_TYPES]
        lists += [found["spectrum"][axis][name] for axis in AXES for name in ("ranks", "kept")]
        numbers = [found["error"], *(number for values in lists for number in values)]
        whole = all(type(number) in (int, float) for number in numbers) and all(lists)
    except (TypeError, KeyError):
        return {}
    return found if whole else {}


def _ratio(missed: np.ndarray, energy: np.ndarray) -> list[float]:
    share = np.divide(missed, energy, out=np.zeros_like(missed), where=energy > 0)
    return [round(float(value), 7) for value in np.sqrt(share)]


def _kept(axis: Axis) -> dict[str, list[float]]:
    length = len(axis.energies)
    picks = np.unique(np.linspace(1, length, min(length, _MAX_VALUES)).round().astype(int))
    shares = np.cumsum(axis.energies) / (axis.energies.sum() or 1.0)
    return {
        "ranks": picks.tolist(),
        "kept": [round(float(shares[pick - 1]), 6) for pick in picks],
    }
