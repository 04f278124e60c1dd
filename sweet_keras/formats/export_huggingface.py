"""A folder that Hugging Face's `from_pretrained` loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from sweet_keras.core.atomic import atomic_folder
from sweet_keras.formats.huggingface_names import DINOV2, SIGLIP, VIT
from sweet_keras.formats.name_table import NameTable
from sweet_keras.formats.plain_network import Head, normalisation, plain_network, refuse
from sweet_keras.formats.to_foreign import State, to_foreign
from sweet_keras.models.vit_backbone import ViTBackbone

_ACTIVATIONS = {"gelu": "gelu", "gelu_tanh": "gelu_pytorch_tanh"}


def export_huggingface(model: Any, path: Path) -> None:
    """Writes `config.json`, `model.safetensors` and `preprocessor_config.json`.

    The architecture is the one that computes the same: `ViT` where there is a class token and the
    classifier, if any, reads it; `Dinov2`, with or without registers, where the classifier averages
    the patches beside a class token, or there are registers; `SiglipVision` where there is no class
    token. The last two are square.

    Args:
        model: A `ViTBackbone` or `ImageClassifier`.
        path: The folder.

    Raises:
        ValueError: If Hugging Face has no such network.
    """
    vit, head = plain_network(model)
    kind, table, prefix = _architecture(vit, head)
    state = to_foreign(table, vit)
    if table is DINOV2:
        # Its modules always have both.
        state["embeddings.mask_token"] = np.zeros((1, vit.embed_dim), "float32")
        ones = np.ones(vit.embed_dim, "float32")
        for scale in table.layer_scale:
            for layer in range(vit.size.depth):
                state.setdefault(scale.format(layer), ones.copy())
    if head is not None:
        state = {f"{prefix}.{name}": array for name, array in state.items()}
        state |= _head(table, head)
    with atomic_folder(path) as folder:
        safetensors.numpy.save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
        files = {
            "config.json": _configuration(kind, table, vit, head),
            "preprocessor_config.json": _preprocessor(vit),
        }
        for name, content in files.items():
            (folder / name).write_text(json.dumps(content, indent=2), encoding="utf-8")


def _architecture(vit: ViTBackbone, head: Head | None) -> tuple[str, NameTable, str]:
    """Name, table and prefix of the names in a classifier."""
    mean = head is not None and head.pooling == "mean"
    if vit.class_token and not vit.register_tokens and not mean:
        return "ViT", VIT, "vit"
    square = vit.image_shape[0] == vit.image_shape[1]
    if not square:
        raise refuse(
            "Hugging Face",
            "without a class token, with registers or with a mean over the patches, images must "
            "be square there",
            f"image_shape={vit.image_shape}",
        )
    if vit.class_token:
        registers = "WithRegisters" if vit.register_tokens else ""
        prefix = "dinov2_with_registers" if registers else "dinov2"
        return f"Dinov2{registers}", DINOV2, prefix
    if vit.register_tokens:
        raise refuse(
            "Hugging Face",
            "registers without a class token are in none of its networks",
            f"register_tokens={vit.register_tokens}, class_token=False",
        )
    return "Siglip", SIGLIP, "vision_model"


def _head(table: NameTable, head: Head) -> State:
    kernel = head.kernel
    if table is DINOV2:
        # It reads the class token and the mean of the patches, side by side.
        halves = [np.zeros_like(kernel), kernel]
        kernel = np.concatenate(halves if head.pooling == "mean" else halves[::-1])
    return {"classifier.weight": np.ascontiguousarray(kernel.T), "classifier.bias": head.bias}


def _configuration(
    kind: str, table: NameTable, vit: ViTBackbone, head: Head | None
) -> dict[str, Any]:
    height, width, channels = vit.image_shape
    network = {
        "model_type": {"ViT": "vit", "Dinov2": "dinov2"}.get(kind, "dinov2_with_registers"),
        "hidden_size": vit.embed_dim,
        "num_hidden_layers": vit.size.depth,
        "num_attention_heads": vit.size.num_heads,
        "hidden_act": _ACTIVATIONS[vit.activation],
        "layer_norm_eps": vit.norm_epsilon,
        "image_size": height if height == width else [height, width],
        "patch_size": vit.patch_size,
        "num_channels": channels,
    }
    if table is DINOV2:
        network |= {"mlp_ratio": vit.mlp_ratio, "layerscale_value": 1.0}
        if vit.register_tokens:
            network["num_register_tokens"] = vit.register_tokens
    else:
        network["intermediate_size"] = vit.mlp_ratio * vit.embed_dim
    if table is SIGLIP:
        network |= {"model_type": "siglip_vision_model", "vision_use_head": False}
    if head is None:
        name = "SiglipVisionModel" if table is SIGLIP else f"{kind}Model"
        return {"architectures": [name], "dtype": "float32", **network}
    names = head.names or [f"LABEL_{number}" for number in range(head.classes)]
    config = {
        "architectures": [f"{kind}ForImageClassification"],
        "dtype": "float32",
        "id2label": dict(enumerate(names)),
        "label2id": {name: number for number, name in enumerate(names)},
    }
    if table is SIGLIP:
        return {**config, "model_type": "siglip", "vision_config": network}
    return {**config, **network}


def _preprocessor(vit: ViTBackbone) -> dict[str, Any]:
    mean, std = normalisation(vit)
    return {
        "image_processor_type": "ViTImageProcessor",
        "do_resize": True,
        "size": {"height": vit.image_shape[0], "width": vit.image_shape[1]},
        "resample": 2,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": mean,
        "image_std": std,
    }
