"""timm's `VisionTransformer`; facebookresearch's MAE, DINO and DINOv2 use the same names."""

from __future__ import annotations

from sweet_keras.formats.name_table import Entry, NameTable, convolution, linear, named, norm

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

TIMM = NameTable(
    library="timm",
    entries=named(
        patch=convolution("patch_embed.proj"),
        norm1=norm("blocks.{}.norm1"),
        qkv={
            "kernel": Entry("blocks.{}.attn.qkv.weight", "3D I", "I 3D"),
            "bias": Entry("blocks.{}.attn.qkv.bias", "3D", optional=True),
        },
        output=linear("blocks.{}.attn.proj", "D", "I"),
        norm2=norm("blocks.{}.norm2"),
        mlp_in=linear("blocks.{}.mlp.fc1", "K", "I"),
        mlp_out=linear("blocks.{}.mlp.fc2", "D", "K"),
        final_norm=norm("norm"),
    ),
    class_token="cls_token",  # noqa: S106 - a name
    register_tokens="reg_token",
    positions="pos_embed",
    layer_scale=("blocks.{}.ls1.gamma", "blocks.{}.ls2.gamma"),
    prefixes=("module.", "backbone.", "encoder."),
    aliases=((r"^register_tokens$", "reg_token"), (r"^blocks\.\d+\.(\d+\.)", r"blocks.\1")),
    ignored=r"(decoder|mask_token|head|attn_pool|dino_head|ibot_head)",
    refused=(
        (r"fc_norm\.", "a final norm after the pooling"),
        (r"norm_pre\.", "a norm before the blocks"),
        (r"dist_token|head_dist", "a distillation token"),
        (r"blocks\.\d+\.attn\.[qk]_norm\.", "normalised queries and keys"),
        (r"blocks\.\d+\.mlp\.(fc1_[gx]|w12|w1|w3)\.", "a gated MLP (SwiGLU)"),
    ),
    resampling="antialiased",
)
# The names of a pre-training: what only its decoder has.
MAE_DECODER = r"decoder_(embed|pos_embed|blocks)"
