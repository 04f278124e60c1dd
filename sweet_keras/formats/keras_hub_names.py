"""KerasHub's `ViTBackbone`, by the paths in its weights file."""

from __future__ import annotations

from sweet_keras.formats.name_table import Entry, NameTable, named

_EMBEDDING = "vi_t_patching_and_embedding"
_LAYER = "vi_t_encoder/encoder_layers/vi_t_encoder_block_{}/"


def _dense(path: str, into: str, out: str) -> dict[str, Entry]:
    return {
        "kernel": Entry(f"{path}/vars/0", f"{into} {out}"),
        "bias": Entry(f"{path}/vars/1", out),
    }


def _norm(path: str) -> dict[str, Entry]:
    return {"scale": Entry(f"{path}/vars/0", "D"), "bias": Entry(f"{path}/vars/1", "D")}


def _three(number: int) -> tuple[str, ...]:
    return tuple(f"{_LAYER}mha/{part}_dense/vars/{number}" for part in ("query", "key", "value"))


KERAS_HUB = NameTable(
    library="KerasHub",
    entries=named(
        patch={
            "kernel": Entry(f"{_EMBEDDING}/patch_embedding/vars/0", "p q C D"),
            "bias": Entry(f"{_EMBEDDING}/patch_embedding/vars/1", "D", optional=True),
        },
        norm1=_norm(f"{_LAYER}layer_norm_1"),
        qkv={
            "kernel": Entry(_three(0), "I H d"),
            "bias": Entry(_three(1), "H d", optional=True),
        },
        output={
            "kernel": Entry(f"{_LAYER}mha/output_dense/vars/0", "H d D"),
            "bias": Entry(f"{_LAYER}mha/output_dense/vars/1", "D", optional=True),
        },
        norm2=_norm(f"{_LAYER}layer_norm_2"),
        mlp_in=_dense(f"{_LAYER}mlp/dense_1", "I", "K"),
        mlp_out=_dense(f"{_LAYER}mlp/dense_2", "K", "D"),
        final_norm=_norm("vi_t_encoder/layer_norm"),
    ),
    class_token=f"{_EMBEDDING}/vars/0",
    positions=f"{_EMBEDDING}/position_embedding/vars/0",
    flat_positions=True,
    prefixes=("layers/", "vi_t_backbone/", "layers/"),
    # Keras numbers the layers of a list from the second on.
    aliases=((r"vi_t_encoder_block/", "vi_t_encoder_block_0/"),),
    ignored=r"(dense|layer_normalization|output_dense|optimizer)(_\d+)?/|seed_generator",
)
