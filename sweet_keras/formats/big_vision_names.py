"""big_vision's `vit`, and the older files of google-research/vision_transformer."""

from __future__ import annotations

from sweet_keras.formats.name_table import Entry, NameTable, named

_LAYER = "Transformer/encoderblock_{}/"


def _dense(path: str, into: str, out: str) -> dict[str, Entry]:
    return {"kernel": Entry(f"{path}/kernel", f"{into} {out}"), "bias": Entry(f"{path}/bias", out)}


def _norm(path: str) -> dict[str, Entry]:
    return {"scale": Entry(f"{path}/scale", "D"), "bias": Entry(f"{path}/bias", "D")}


def _three(kind: str) -> tuple[str, ...]:
    attention = f"{_LAYER}MultiHeadDotProductAttention_0"
    return tuple(f"{attention}/{part}/{kind}" for part in ("query", "key", "value"))


BIG_VISION = NameTable(
    library="big_vision",
    entries=named(
        patch={
            "kernel": Entry("embedding/kernel", "p q C D"),
            "bias": Entry("embedding/bias", "D"),
        },
        norm1=_norm(f"{_LAYER}LayerNorm_0"),
        qkv={"kernel": Entry(_three("kernel"), "I H d"), "bias": Entry(_three("bias"), "H d")},
        output={
            "kernel": Entry(f"{_LAYER}MultiHeadDotProductAttention_0/out/kernel", "H d D"),
            "bias": Entry(f"{_LAYER}MultiHeadDotProductAttention_0/out/bias", "D"),
        },
        norm2=_norm(f"{_LAYER}LayerNorm_1"),
        mlp_in=_dense(f"{_LAYER}MlpBlock_0/Dense_0", "I", "K"),
        mlp_out=_dense(f"{_LAYER}MlpBlock_0/Dense_1", "K", "D"),
        final_norm=_norm("Transformer/encoder_norm"),
    ),
    class_token="cls",  # noqa: S106 - a name
    positions="pos_embedding",
    prefixes=("params/", "opt/target/", "img/"),
    aliases=(
        (r"^Transformer/(posembed_input/)?pos_embedding$", "pos_embedding"),
        (r"MultiHeadDotProductAttention_1/", "MultiHeadDotProductAttention_0/"),
        (r"(encoderblock_\d+)/LayerNorm_2/", r"\1/LayerNorm_1/"),
        (r"(encoderblock_\d+)/MlpBlock_3/", r"\1/MlpBlock_0/"),
    ),
    ignored=r"(head|pre_logits|MAPHead_0|opt|step|txt)(/|$)|^(t|b)$",
    resampling="linear",
    fixed_positions=True,
    activation="gelu_tanh",  # flax's default
)
