"""A folder that `timm.create_model("local-dir:FOLDER", pretrained=True)` loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import safetensors.numpy

from sweet_keras.core.atomic import atomic_folder
from sweet_keras.formats.plain_network import Head, normalisation, plain_network, refuse
from sweet_keras.formats.timm_names import TIMM
from sweet_keras.formats.to_foreign import to_foreign
from sweet_keras.models.vit_backbone import ViTBackbone

_EPSILON = 1e-6  # timm's own; arguments that are JSON cannot say another


def export_timm(model: Any, path: Path) -> None:
    """Writes `model.safetensors`, a state of `VisionTransformer`, and `config.json`.

    `model_args` in that file are the arguments to build it. Mean and deviation under
    `pretrained_cfg` are of pixels in 0..1, as in timm's transforms.

    Args:
        model: A `ViTBackbone` or `ImageClassifier`.
        path: The folder.

    Raises:
        ValueError: If timm has no such network.
    """
    vit, head = plain_network(model)
    if vit.norm_epsilon != _EPSILON:
        raise refuse(
            "timm",
            f"its LayerNorms have an epsilon of {_EPSILON}, which load_vit(.., norm_epsilon=..) "
            "can set",
            f"norm_epsilon={vit.norm_epsilon}",
        )
    # With registers the positions are of the patches alone, as in timm's own such networks.
    state = to_foreign(TIMM, vit, class_position=not vit.register_tokens)
    if head is not None:
        state |= {"head.weight": head.kernel.T.copy(), "head.bias": head.bias}
    with atomic_folder(path) as folder:
        safetensors.numpy.save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
        text = json.dumps(_configuration(vit, head), indent=2)
        (folder / "config.json").write_text(text, encoding="utf-8")


def _configuration(vit: ViTBackbone, head: Head | None) -> dict[str, Any]:
    mean, std = normalisation(vit)
    height, width, channels = vit.image_shape
    classes = 0 if head is None else head.classes
    arguments = timm_arguments(vit, head)
    return {
        "architecture": "vit_base_patch16_224",  # whose arguments are those below
        "num_classes": classes,
        "num_features": vit.embed_dim,
        "global_pool": arguments["global_pool"],
        "model_args": arguments,
        "pretrained_cfg": {
            "tag": "sweet_keras",
            "num_classes": classes,
            "input_size": [channels, height, width],
            "fixed_input_size": True,
            "interpolation": "bicubic",
            "crop_pct": 1.0,
            "mean": mean,
            "std": std,
            "first_conv": "patch_embed.proj",
            "classifier": "head",
            **({"label_names": list(head.names)} if head and head.names else {}),
        },
    }


def timm_arguments(vit: ViTBackbone, head: Head | None) -> dict[str, Any]:
    """The arguments of timm's `VisionTransformer` for a network."""
    token = vit.class_token if head is None else head.pooling == "token"
    arguments = {
        "img_size": list(vit.image_shape[:2]),
        "patch_size": vit.patch_size,
        "in_chans": vit.image_shape[2],
        "num_classes": 0 if head is None else head.classes,
        "embed_dim": vit.embed_dim,
        "depth": vit.size.depth,
        "num_heads": vit.size.num_heads,
        "mlp_ratio": vit.mlp_ratio,
        "class_token": vit.class_token,
        "reg_tokens": vit.register_tokens,
        "no_embed_class": bool(vit.register_tokens),
        "global_pool": "token" if token else "avg",
        "fc_norm": False,
    }
    if vit.layer_scale is not None:
        arguments["init_values"] = float(vit.layer_scale)
    if vit.activation != "gelu":
        arguments["act_layer"] = vit.activation
    return arguments
