"""Self-supervised weight templates: one pre-training, vision transformers of every size.

Names are loaded when they are first used, so that importing the package costs nothing and its core
works without Keras. Where Keras is there already, the layers and models are registered with it at
once: `import keras, sweet_keras` is all that `keras.saving.load_model` needs.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweet_keras import cv as cv
    from sweet_keras import data as data
    from sweet_keras import hub as hub
    from sweet_keras.core.size import ViTSize as ViTSize
    from sweet_keras.core.template import SweetTemplate as SweetTemplate
    from sweet_keras.distribution.distribute import distribute as distribute
    from sweet_keras.formats.export import export as export
    from sweet_keras.formats.load_vit import load_vit as load_vit
    from sweet_keras.formats.published import publish as publish
    from sweet_keras.formats.published import pull as pull
    from sweet_keras.formats.published import push as push
    from sweet_keras.initialization.adapt import adapt as adapt
    from sweet_keras.initialization.decompose import decompose as decompose
    from sweet_keras.initialization.materialize import materialize as materialize
    from sweet_keras.initialization.materialize import vit_like as vit_like
    from sweet_keras.initialization.materialize_generator import (
        materialize_generator as materialize_generator,
    )
    from sweet_keras.initialization.order_channels import order_channels as order_channels
    from sweet_keras.initialization.refine import refine as refine
    from sweet_keras.layers.rematerialize import rematerialize as rematerialize
    from sweet_keras.layers.sweet_template_vit import SweetTemplateViT as SweetTemplateViT
    from sweet_keras.layers.tucker_template import TuckerTemplate as TuckerTemplate
    from sweet_keras.models.image_classifier import ImageClassifier as ImageClassifier
    from sweet_keras.models.image_generator import ImageGenerator as ImageGenerator
    from sweet_keras.models.kernel_muon import KernelMuon as KernelMuon
    from sweet_keras.models.late_subnetworks import LateSubnetworks as LateSubnetworks
    from sweet_keras.models.masked_autoencoder import MaskedAutoencoder as MaskedAutoencoder
    from sweet_keras.models.vit_backbone import ViTBackbone as ViTBackbone
    from sweet_keras.runs.allocator import keep_memory as keep_memory
    from sweet_keras.tasks.image_detector import image_detector as image_detector
    from sweet_keras.tasks.image_segmenter import image_segmenter as image_segmenter
    from sweet_keras.tasks.pyramid_of import class_names_of as class_names_of

__version__ = "0.1.0"

_HOMES = {
    "ImageClassifier": "models.image_classifier",
    "ImageGenerator": "models.image_generator",
    "KernelMuon": "models.kernel_muon",
    "LateSubnetworks": "models.late_subnetworks",
    "MaskedAutoencoder": "models.masked_autoencoder",
    "SweetTemplate": "core.template",
    "SweetTemplateViT": "layers.sweet_template_vit",
    "TuckerTemplate": "layers.tucker_template",
    "ViTBackbone": "models.vit_backbone",
    "ViTSize": "core.size",
    "adapt": "initialization.adapt",
    "class_names_of": "tasks.pyramid_of",
    "decompose": "initialization.decompose",
    "distribute": "distribution.distribute",
    "export": "formats.export",
    "image_detector": "tasks.image_detector",
    "image_segmenter": "tasks.image_segmenter",
    "keep_memory": "runs.allocator",
    "load_vit": "formats.load_vit",
    "materialize": "initialization.materialize",
    "materialize_generator": "initialization.materialize_generator",
    "order_channels": "initialization.order_channels",
    "refine": "initialization.refine",
    "publish": "formats.published",
    "pull": "formats.published",
    "push": "formats.published",
    "rematerialize": "layers.rematerialize",
    "vit_like": "initialization.materialize",
}
_PACKAGES = ("cv", "data", "hub")
__all__ = ["__version__", *_PACKAGES, *_HOMES]


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return importlib.import_module(f"sweet_keras.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'sweet_keras' has no attribute {name!r}")
    return getattr(importlib.import_module(f"sweet_keras.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)


if "keras" in sys.modules:
    for _home in _HOMES.values():
        if _home.startswith("formats."):
            continue  # nothing there is registered
        importlib.import_module(f"sweet_keras.{_home}")
    for _package, _library in (("cv", "keras_cv"), ("hub", "keras_hub")):
        if sys.modules.get(_library):
            importlib.import_module(f"sweet_keras.{_package}")
