"""Variants of the template, to see what each part of its recipe does.

`sweet_adapt:no_width_masks` is the method `sweet_adapt` with a template that was pre-trained by the
variant `no_width_masks`. A variant is one line of `VARIANTS`, and each has a template of its own;
those whose names begin with `decomposed` have none to train: theirs is made of the plain network.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from sweet_keras.runs.method_names import split_name
from sweet_keras.runs.pretrain_config import PretrainConfig

# Methods that start from a template.
WITH_VARIANTS = ("sweet_slice", "sweet_adapt")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Variant:
    """A change of the recipe.

    Attributes:
        text: What is different, in a few words.
        changes: Options of the pre-training that differ, given those of the plain recipe.
        supervised: Whether the template learns to classify all labelled training images (those set
            aside for validation left out) instead of masked autoencoding. Adapting then uses the
            same loss and images.
        decomposition: Arguments of `sweet_keras.decompose`, which makes the template of the plain
            network; None where it is pre-trained. The order `"activation"` gets its images.
        refined: Whether a decomposition is then fitted to the tokens of that network.
    """

    text: str
    changes: Callable[[PretrainConfig], Mapping[str, Any]] = lambda config: {}
    supervised: bool = False
    decomposition: Mapping[str, Any] | None = None
    refined: bool = False

    def apply(self, config: PretrainConfig) -> PretrainConfig:
        """Returns the options of the variant's pre-training."""
        return dataclasses.replace(config, **self.changes(config))


# A variant of the network itself, such as one template per kernel type, needs an option of
# `PretrainConfig` that makes it; it is then one more line here.
VARIANTS = {
    "no_width_masks": Variant(
        text="no width masks", changes=lambda config: {"subnetworks": "depth"}
    ),
    "no_depth": Variant(text="no nested depth", changes=lambda config: {"subnetworks": "width"}),
    "not_nested": Variant(text="not nested", changes=lambda config: {"subnetwork_rate": 0.0}),
    "ranks_half": Variant(text="half the matrices", changes=lambda config: {"ranks": "0.5"}),
    "supervised": Variant(text="supervised", supervised=True),
    "decomposed": Variant(
        text="made of the plain network, ordered by what it computes on images",
        decomposition={"order": "activation"},
    ),
    "decomposed_energy": Variant(
        text="made of the plain network, ordered by its weights",
        decomposition={"order": "energy"},
    ),
    "decomposed_half": Variant(
        text="as decomposed, half the parameters",
        decomposition={"order": "activation", "share": 0.5},
    ),
    "decomposed_half_refined": Variant(
        text="the same, then fitted to the tokens of the plain network",
        decomposition={"order": "activation", "share": 0.5},
        refined=True,
    ),
}


def is_known(name: str, methods: tuple[str, ...]) -> bool:
    """Whether a name is one of `methods`, or a variant of one that has variants."""
    method, variant = split_name(name)
    if variant is None:
        return method in methods
    return method in methods and method in WITH_VARIANTS and variant in VARIANTS
