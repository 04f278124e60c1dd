"""The ways to start a network that `sweet compare` knows."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from typing import Any, Literal

from sweet_keras.core.template import SweetTemplate
from sweet_keras.initialization.learngene import auto_lg, heur_lg, share_init
from sweet_keras.initialization.ligo import ligo
from sweet_keras.initialization.materialize import materialize
from sweet_keras.initialization.mimetic import mimetic
from sweet_keras.initialization.selection import prefix_selection, weight_selection
from sweet_keras.initialization.tleg import tleg
from sweet_keras.initialization.truncated_normal import truncated_normal
from sweet_keras.initialization.wave import wave
from sweet_keras.models.masked_autoencoder import MaskedAutoencoder
from sweet_keras.models.vit_backbone import ViTBackbone


@dataclasses.dataclass(frozen=True)
class Sources:
    """What networks are started from; each is loaded when it is asked for.

    Attributes:
        blank: A random network of a size.
        plain: The plain network pre-trained once for all sizes.
        direct: The plain network pre-trained at a size.
        template: The template.
        autoencoder: The autoencoder pre-trained for `"tleg"` or `"wave"`, or the `"small"` plain
            one that `ligo` grows.
        adapt_options: Arguments of `materialize` that fit a network to the images.
    """

    blank: Callable[[str], ViTBackbone]
    plain: Callable[[], ViTBackbone]
    direct: Callable[[str], ViTBackbone]
    template: Callable[[], SweetTemplate]
    autoencoder: Callable[[str], MaskedAutoencoder]
    adapt_options: Callable[[], dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Method:
    """One way.

    Attributes:
        needs: What is pre-trained for it.
        make: Gives the network, of the sources, a size and a seed.
        random: Whether the seed matters.
        fitted: Whether it is fitted to the images for `adapt_epochs`.
    """

    needs: Literal["nothing", "plain", "direct", "template", "tleg", "wave", "small"]
    make: Callable[[Sources, str, int], ViTBackbone]
    random: bool = False
    fitted: bool = False


def _untrained(change: Callable[[ViTBackbone, int], None] | None = None) -> Method:
    def make(sources: Sources, size: str, seed: int) -> ViTBackbone:
        random.seed(seed)  # the source of Keras's initialisers
        vit = sources.blank(size)
        if change is not None:
            change(vit, seed)
        return vit

    return Method("nothing", make, random=True)


def _from_plain(way: Callable[[ViTBackbone, str], ViTBackbone], partly: bool = False) -> Method:
    def make(sources: Sources, size: str, seed: int) -> ViTBackbone:
        random.seed(seed)
        return way(sources.plain(), size)

    return Method("plain", make, random=partly)


def _slice(sources: Sources, size: str, seed: int) -> ViTBackbone:
    return materialize(sources.template(), size)


def _adapt(sources: Sources, size: str, seed: int) -> ViTBackbone:
    return materialize(sources.template(), size, **sources.adapt_options())


def _tleg(sources: Sources, size: str, seed: int) -> ViTBackbone:
    return tleg(sources.autoencoder("tleg").encoder, size)


def _wave(sources: Sources, size: str, seed: int) -> ViTBackbone:
    return wave(sources.autoencoder("wave"), size, **_without_labels(sources))


def _ligo(sources: Sources, size: str, seed: int) -> ViTBackbone:
    return ligo(sources.autoencoder("small"), size, **_without_labels(sources))


def _without_labels(sources: Sources) -> dict[str, Any]:
    return {name: value for name, value in sources.adapt_options().items() if name != "classes"}


METHODS = {
    "random": _untrained(truncated_normal),
    "xavier": _untrained(),
    "mimetic": _untrained(mimetic),
    "weight_selection": _from_plain(weight_selection),
    "prefix": _from_plain(prefix_selection),
    "share": _from_plain(share_init),
    "heur_lg": _from_plain(heur_lg, partly=True),
    "auto_lg": _from_plain(auto_lg, partly=True),
    "tleg": Method("tleg", _tleg),
    "wave": Method("wave", _wave, fitted=True),
    "ligo": Method("small", _ligo, fitted=True),
    "direct": Method("direct", lambda sources, size, seed: sources.direct(size)),
    "sweet_slice": Method("template", _slice),
    "sweet_adapt": Method("template", _adapt, fitted=True),
}
