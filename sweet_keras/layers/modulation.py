"""What a condition does to a transformer block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sweet_keras.layers.head_prefix import HeadPrefix

Tensor = Any


class Modulation(NamedTuple):
    """Shifts, scales and gates of one block for each sample of a batch, each (B, 1, D)."""

    norm1: tuple[Tensor, Tensor] | None  # shift and scale, added to bias and scale of the norm
    gate1: Tensor | None  # factor of what attention adds
    norm2: tuple[Tensor, Tensor] | None
    gate2: Tensor | None  # factor of what the MLP adds


UNMODULATED = Modulation(None, None, None, None)


def modulate(
    conditioning: Any, condition: Sequence[Tensor], prefix: HeadPrefix, layers: Sequence[int]
) -> tuple[Sequence[Modulation | None], tuple[Tensor, Tensor] | None]:
    """The modulations of some layers, and of the last norm; all `None` without `conditioning`.

    Args:
        conditioning: A layer such as `Conditioning`, or `None`.
        condition: Tensors (B, ...) that it is called with.
        prefix: What the network is narrowed to.
        layers: Which layers run.
    """
    if conditioning is None:
        return [None] * len(layers), None
    blocks, final = conditioning(*condition, prefix=prefix, layers=layers)
    return blocks, final
