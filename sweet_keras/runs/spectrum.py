"""Singular values of kernels: whether a template or a network is healthy."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sweet_keras.core.blocks import Kernels
from sweet_keras.runs.measurements import Spectrum

# A plain ViT has largest singular values of 1.4 to 2.4 after pre-training; templates whose
# factors exploded had 20 to 150, and fine-tuned far below a random start (measured).
SICK = 10.0
_MAX_VALUES = 48


@dataclasses.dataclass(frozen=True, kw_only=True)
class KernelHealth:
    """The singular values of all kernels of one kind.

    Attributes:
        kind: `query`, `key`, `value`, `output`, `mlp_in` or `mlp_out`.
        largest: Largest of all layers.
        median: Median of all layers.
    """

    kind: str
    largest: float
    median: float

    @property
    def sick(self) -> bool:
        """Whether the largest value is far above that of any network that trains well."""
        return not self.largest <= SICK


def kernels_by_kind(kernels: Kernels) -> dict[str, np.ndarray]:
    """Cuts the joint kernel of q, k and v apart.

    Args:
        kernels: Arrays with a leading axis of L layers.

    Returns:
        `query`, `key`, `value`, `output`: (L, D, D); `mlp_in`: (L, D, 4D); `mlp_out`: (L, 4D, D).
    """
    query, key, value = np.split(np.asarray(kernels.qkv), 3, axis=-1)
    return {
        "query": query,
        "key": key,
        "value": value,
        "output": np.asarray(kernels.output),
        "mlp_in": np.asarray(kernels.mlp_in),
        "mlp_out": np.asarray(kernels.mlp_out),
    }


def backbone_kernels(backbone: Any) -> dict[str, np.ndarray]:
    """Returns the kernels of a plain network by kind; see `kernels_by_kind`.

    Args:
        backbone: A `ViTBackbone`.
    """
    arrays = backbone.arrays()
    return kernels_by_kind(Kernels(*(arrays[f"{name}/kernel"] for name in Kernels._fields)))


def singular_values(matrices: np.ndarray) -> np.ndarray:
    """Singular values of a stack of matrices (L, a, b), largest first: (L, min(a, b)).

    From the eigenvalues of the Gram matrix: values below a millionth of the largest are noise.
    """
    matrices = np.asarray(matrices, "float64")
    if matrices.shape[-2] > matrices.shape[-1]:
        matrices = matrices.swapaxes(-2, -1)
    eigenvalues = np.linalg.eigvalsh(matrices @ matrices.swapaxes(-2, -1))
    return np.sqrt(np.maximum(eigenvalues, 0.0))[..., ::-1]


def kernel_health(kernels: Mapping[str, np.ndarray]) -> list[KernelHealth]:
    """Summarises the kernels of each kind.

    Args:
        kernels: Stacks (L, a, b) by kind.
    """
    health = []
    for kind, matrices in kernels.items():
        values = singular_values(matrices)
        health.append(
            KernelHealth(kind=kind, largest=float(values.max()), median=float(np.median(values)))
        )
    return health


def spectra(kernels: Mapping[str, np.ndarray], method: str, size: str) -> list[Spectrum]:
    """Returns the spectrum of each kind, averaged over the layers.

    Args:
        kernels: Stacks (L, a, b) by kind.
        method: How the network was started.
        size: Its size.
    """
    return [
        Spectrum(method=method, size=size, kind=kind, values=_thinned(singular_values(matrices)))
        for kind, matrices in kernels.items()
    ]


def _thinned(values: np.ndarray) -> tuple[float, ...]:
    mean = values.mean(axis=0)
    picks: Sequence[int] = np.unique(
        np.linspace(0, len(mean) - 1, min(len(mean), _MAX_VALUES)).round().astype(int)
    )
    return tuple(round(float(mean[pick]), 6) for pick in picks)
