"""The networks that are timed, and what a name such as `small+muon` stands for."""

from typing import NamedTuple


class Size(NamedTuple):
    """A network, and the images it sees."""

    vit: str
    head_dim: int
    side: int  # of the images, in pixels
    channels: int
    patch: int
    decoder: str  # of its masked autoencoder

    @property
    def depth(self) -> int:
        return int(self.vit[1:].partition("H")[0])

    @property
    def heads(self) -> int:
        return int(self.vit.partition("H")[2])

    @property
    def dim(self) -> int:
        return self.heads * self.head_dim

    @property
    def decoder_depth(self) -> int:
        return int(self.decoder[1:].partition("H")[0])

    @property
    def decoder_heads(self) -> int:
        return int(self.decoder.partition("H")[2])

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.side, self.side, self.channels

    @property
    def patches(self) -> int:
        return (self.side // self.patch) ** 2


# The decoder is the library's default: two layers of half the heads, rounded down.
SIZES = {
    "small": Size("L6H6", 16, 28, 1, 4, "L2H3"),
    "small-large": Size("L6H6", 16, 56, 1, 4, "L2H3"),
    "small-deep": Size("L12H6", 16, 28, 1, 4, "L2H3"),
    "small-wide": Size("L6H12", 16, 28, 1, 4, "L2H6"),
    "tiny": Size("L12H3", 64, 224, 3, 16, "L2H1"),
    "base": Size("L12H12", 64, 224, 3, 16, "L2H6"),
    "large": Size("L24H16", 64, 224, 3, 16, "L2H8"),
}
VARIANTS = {
    "subnetworks": "40 % of a batch goes through a sub-network (the library's default for a new "
    "template); without it every image goes through the whole network",
    "half": "ranks (all, D/2, D/2): W is never built",
    "quarter": "ranks (all, D/4, D/4)",
    "muon": "KernelMuon instead of AdamW, for both (what `sweet pretrain` takes by default)",
    "plain": "ours is the library's plain network in place of a template",
    "bf16": "mixed precision, bfloat16 (Keras' policy; autocast for the peers)",
    "remat": "blocks keep their inputs only, a template its factors, for both (`--remat`)",
    "jit": "compiled by XLA, for both (`--jit`), which Keras does not do by itself on TensorFlow "
    "without a GPU",
    "compiled": "the peer is compiled by torch.compile",
}


def parse(name: str) -> tuple[Size, frozenset[str]]:
    """Takes `small+muon` apart.

    Raises:
        ValueError: If there is no such size or variant.
    """
    base, *variants = name.split("+")
    if base not in SIZES or not set(variants) <= set(VARIANTS):
        raise ValueError(
            f"`size` must be one of {', '.join(SIZES)}, and may be followed by "
            f"{', '.join('+' + variant for variant in VARIANTS)}. Received: {name!r}"
        )
    return SIZES[base], frozenset(variants)
