"""What configuration files say about a checkpoint beyond its weights."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Mapping
from typing import Any

from sweet_keras.formats.timm_names import IMAGENET_MEAN, IMAGENET_STD

_ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_python": "gelu",
    "gelu_erf": "gelu",
    "gelu_tanh": "gelu_tanh",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
}


@dataclasses.dataclass(frozen=True)
class Described:
    """What is known; `None` where nothing is said.

    Attributes:
        num_heads: Heads.
        epsilon: Of the LayerNorms.
        activation: `"gelu"` or `"gelu_tanh"`.
        native_shape: (height, width) that the positions are of.
        pixel_mean: What is subtracted from pixels, in 0..255.
        pixel_std: What they are divided by.
    """

    num_heads: int | None = None
    epsilon: float | None = None
    activation: str | None = None
    native_shape: tuple[int, int] | None = None
    pixel_mean: tuple[float, ...] | None = None
    pixel_std: tuple[float, ...] | None = None


def described(config: Mapping[str, Any], preprocessor: Mapping[str, Any]) -> Described:
    """Reads the configuration of Hugging Face, timm or KerasHub.

    Args:
        config: What `config.json` holds, in the folder or in the `.keras` file.
        preprocessor: What `preprocessor_config.json` holds.

    Raises:
        ValueError: If it says something that no `ViTBackbone` does.
    """
    if "model_args" in config or "pretrained_cfg" in config or "architecture" in config:
        return _timm(config)
    backbone = _keras_hub(config)
    if backbone is not None:
        return Described(
            num_heads=_integer(backbone, "num_heads"),
            epsilon=_number(backbone, "layer_norm_epsilon"),
            native_shape=_keras_hub_shape(backbone),
        )
    vision = config.get("vision_config")
    inner = vision if isinstance(vision, Mapping) else config
    mean, std = _preprocessing(preprocessor)
    if mean is None and inner.get("model_type") == "vit_mae":
        mean, std = _scaled(IMAGENET_MEAN, 255), _scaled(IMAGENET_STD, 255)
    return Described(
        num_heads=_integer(inner, "num_attention_heads"),
        epsilon=_number(inner, "layer_norm_eps"),
        activation=_activation(inner.get("hidden_act")),
        native_shape=_shape(inner.get("image_size")),
        pixel_mean=mean,
        pixel_std=std,
    )


def _timm(config: Mapping[str, Any]) -> Described:
    arguments = config.get("model_args") or {}
    normalisation = config.get("pretrained_cfg") or config
    name = str(config.get("architecture", ""))
    activation = _activation(arguments.get("act_layer"))
    if activation is None and "quickgelu" in name:
        raise ValueError(f"the activation of {name}, while a ViTBackbone has GELU")
    size = arguments.get("img_size")
    if size is None and normalisation.get("input_size") is not None:
        size = normalisation["input_size"][1:]
    return Described(
        num_heads=_integer(arguments, "num_heads"),
        epsilon=_number(config.get("sweet_keras") or {}, "norm_epsilon"),
        activation=activation,
        native_shape=_shape(size),
        pixel_mean=_scaled(normalisation.get("mean"), 255),
        pixel_std=_scaled(normalisation.get("std"), 255),
    )


def _keras_hub(config: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The configuration of the backbone in that of a model of KerasHub."""
    inner = config.get("config")
    if config.get("class_name") == "ViTBackbone" and isinstance(inner, Mapping):
        return inner
    if isinstance(inner, Mapping) and isinstance(inner.get("backbone"), Mapping):
        return _keras_hub(inner["backbone"])
    return None


def _keras_hub_shape(backbone: Mapping[str, Any]) -> tuple[int, int] | None:
    shape = backbone.get("image_shape")
    if shape is None:
        return None
    first = backbone.get("data_format") == "channels_first"
    return _shape(shape[1:] if first else shape[:2])


def _preprocessing(
    preprocessor: Mapping[str, Any],
) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None]:
    if "image_mean" not in preprocessor and preprocessor.get("do_normalize", True):
        return None, None
    scale = preprocessor.get("rescale_factor", 1 / 255)
    white = 1 / scale if preprocessor.get("do_rescale", True) else 1.0
    if not preprocessor.get("do_normalize", True):
        return (0.0,), (white,)
    return _scaled(preprocessor["image_mean"], white), _scaled(preprocessor["image_std"], white)


def _activation(name: Any) -> str | None:
    if name is None:
        return None
    if name not in _ACTIVATIONS:
        raise ValueError(f"the activation {name!r}, while a ViTBackbone has GELU")
    return _ACTIVATIONS[name]


def _scaled(values: Any, white: float) -> tuple[float, ...] | None:
    return None if values is None else tuple(float(value) * white for value in values)


def _integer(config: Mapping[str, Any], name: str) -> int | None:
    value = config.get(name)
    return None if value is None else operator.index(value)


def _number(config: Mapping[str, Any], name: str) -> float | None:
    value = config.get(name)
    return None if value is None else float(value)


def _shape(size: Any) -> tuple[int, int] | None:
    if size is None:
        return None
    sides = (size, size) if isinstance(size, int) else size
    height, width = (operator.index(side) for side in sides)
    return height, width
