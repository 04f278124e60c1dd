"""Deeper or shallower vision transformers from a few blocks of a trained one."""

from __future__ import annotations

from sweet_keras.core.size import ViTSize
from sweet_keras.initialization.selection import AXES, narrower, prefix, select
from sweet_keras.models.vit_backbone import ViTBackbone

_HEURISTIC, _AUTOMATIC = 3, 6  # blocks that the two ways keep


def share_init(source: ViTBackbone, size: str | ViTSize, layer: int | None = None) -> ViTBackbone:
    """One block of a trained network in every layer.

    Args:
        source: A trained network.
        size: Of the target, no wider than the source; narrower ones take the first channels.
        layer: Which block; by default the middle one.

    Raises:
        ValueError: If the target is wider than the source, or there is no such layer.

    Reference:
        The ablation of Xia et al., TLEG, 2312.05614.
    """
    depth = source.size.depth
    layer = depth // 2 if layer is None else layer
    if not 0 <= layer < depth:
        raise ValueError(f"`layer` must be from 0 to {depth - 1}. Received: {layer}")
    target = narrower(source, size)
    return _copy(source, target, {at: layer for at in range(target.depth)}, rest=True)


def heur_lg(source: ViTBackbone, size: str | ViTSize) -> ViTBackbone:
    """The last three blocks of a trained network as the last of the target, the rest random.

    Args:
        source: A trained network.
        size: Of the target, no wider than the source; narrower ones take the first channels.

    Raises:
        ValueError: If the target is wider than the source.

    Reference:
        Heur-LG: Wang et al., Learngene, AAAI 2022.
    """
    target = narrower(source, size)
    count = min(_HEURISTIC, target.depth, source.size.depth)
    layers = {target.depth - i: source.size.depth - i for i in range(1, count + 1)}
    return _copy(source, target, layers, rest=False)


def auto_lg(source: ViTBackbone, size: str | ViTSize) -> ViTBackbone:
    """The first six blocks of a trained network as the first of the target, the rest random.

    Args:
        source: A trained network.
        size: Of the target, no wider than the source; narrower ones take the first channels.

    Raises:
        ValueError: If the target is wider than the source.

    Reference:
        Auto-LG: Wang et al., Learngene, 2023; which blocks is its finding for vision transformers.
    """
    target = narrower(source, size)
    count = min(_AUTOMATIC, target.depth, source.size.depth)
    return _copy(source, target, {i: i for i in range(count)}, rest=False)


def _copy(source: ViTBackbone, target: ViTSize, layers: dict[int, int], rest: bool) -> ViTBackbone:
    """Copies source blocks, by target layer; with `rest` the embedding and last norm as well."""
    network = source.twin(target)
    arrays = network.arrays()
    at = list(layers)
    chosen = select(source.arrays(), list(layers.values()), target, prefix)
    for name, array in chosen.items():
        if "L" in AXES[name]:
            arrays[name][at] = array
        elif rest:
            arrays[name] = array
    network.load_arrays(arrays)
    return network
