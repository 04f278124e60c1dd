"""Hugging Face's ViT, ViTMAE, Dinov2 and SigLIP, as `save_pretrained` writes them.

ViT and Dinov2 always have a class token, SigLIP never; Dinov2 has layer scales, and may have
registers.
"""

from __future__ import annotations

from sweet_keras.formats.name_table import (
    NameTable,
    convolution,
    linear,
    named,
    norm,
    query_key_value,
)
from sweet_keras.formats.timm_names import IMAGENET_MEAN, IMAGENET_STD

_LAYER = "encoder.layer.{}."
_EMBEDDING = {
    "class_token": "embeddings.cls_token",
    "positions": "embeddings.position_embeddings",
}
_ATTENTION = {
    "qkv": query_key_value(
        *(f"{_LAYER}attention.attention.{part}" for part in ("query", "key", "value"))
    ),
    "output": linear(f"{_LAYER}attention.output.dense", "D", "I"),
}
# What the modules of transformers 5 are called, where older names are saved.
_MODULES = (
    (r"^layers\.", "encoder.layer."),
    (r"\.attention\.(q)_proj\.", r".attention.attention.query."),
    (r"\.attention\.(k)_proj\.", r".attention.attention.key."),
    (r"\.attention\.(v)_proj\.", r".attention.attention.value."),
    (r"\.attention\.o_proj\.", ".attention.output.dense."),
)

VIT = NameTable(
    library="Hugging Face ViT",
    entries=named(
        patch=convolution("embeddings.patch_embeddings.projection"),
        norm1=norm(f"{_LAYER}layernorm_before"),
        **_ATTENTION,
        norm2=norm(f"{_LAYER}layernorm_after"),
        mlp_in=linear(f"{_LAYER}intermediate.dense", "K", "I"),
        mlp_out=linear(f"{_LAYER}output.dense", "D", "K"),
        final_norm=norm("layernorm"),
    ),
    **_EMBEDDING,
    prefixes=("vit.",),
    aliases=(
        *_MODULES,
        (r"^(encoder\.layer\.\d+\.)mlp\.fc1\.", r"\1intermediate.dense."),
        (r"^(encoder\.layer\.\d+\.)mlp\.fc2\.", r"\1output.dense."),
    ),
    ignored=r"(classifier|pooler|decoder)\.|embeddings\.mask_token",
    epsilon=1e-12,
)
DINOV2 = NameTable(
    library="Hugging Face Dinov2",
    entries=named(
        patch=convolution("embeddings.patch_embeddings.projection"),
        norm1=norm(f"{_LAYER}norm1"),
        **_ATTENTION,
        norm2=norm(f"{_LAYER}norm2"),
        mlp_in=linear(f"{_LAYER}mlp.fc1", "K", "I"),
        mlp_out=linear(f"{_LAYER}mlp.fc2", "D", "K"),
        final_norm=norm("layernorm"),
    ),
    **_EMBEDDING,
    register_tokens="embeddings.register_tokens",
    layer_scale=(f"{_LAYER}layer_scale1.lambda1", f"{_LAYER}layer_scale2.lambda1"),
    prefixes=("dinov2.", "dinov2_with_registers."),
    aliases=_MODULES,
    ignored=r"classifier\.|embeddings\.mask_token",
    refused=((r"encoder\.layer\.\d+\.mlp\.weights_(in|out)\.", "a gated MLP (SwiGLU)"),),
    pixel_mean=IMAGENET_MEAN,
    pixel_std=IMAGENET_STD,
)
SIGLIP = NameTable(
    library="Hugging Face SigLIP",
    entries=named(
        patch=convolution("embeddings.patch_embedding"),
        norm1=norm("encoder.layers.{}.layer_norm1"),
        qkv=query_key_value(*(f"encoder.layers.{{}}.self_attn.{part}_proj" for part in "qkv")),
        output=linear("encoder.layers.{}.self_attn.out_proj", "D", "I"),
        norm2=norm("encoder.layers.{}.layer_norm2"),
        mlp_in=linear("encoder.layers.{}.mlp.fc1", "K", "I"),
        mlp_out=linear("encoder.layers.{}.mlp.fc2", "D", "K"),
        final_norm=norm("post_layernorm"),
    ),
    class_token=None,
    positions="embeddings.position_embedding.weight",
    flat_positions=True,
    prefixes=("vision_model.",),
    ignored=r"classifier\.|head\.|text_model\.|logit_(scale|bias)|embeddings\.position_ids",
    activation="gelu_tanh",
)
