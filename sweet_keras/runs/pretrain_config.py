"""Options of `sweet pretrain`."""

from typing import Literal

from sweet_keras.core.size import ViTSize
from sweet_keras.core.subnetworks import choose_subnetworks
from sweet_keras.runs.config import option
from sweet_keras.runs.generation_config import ObjectiveConfig
from sweet_keras.runs.geometry import check_ranks, parse_image_size, parse_ranks, parse_subnetworks
from sweet_keras.runs.training_config import SPEC, TrainingConfig


class PretrainConfig(ObjectiveConfig, TrainingConfig):
    """Everything that decides what a pre-training does.

    Each option is explained by its own help text; `config.yaml` of a run repeats it.
    """

    data: str = option(help=f"Images to learn from: {SPEC}.", group="Data", metavar="SPEC")
    out: str = option(help="Folder of the run.", group="Run", metavar="RUN")
    task: Literal["reconstruct", "generate"] = option(
        "reconstruct",
        "What a template learns by: to reconstruct images of which most is hidden, without labels, "
        "or to generate images of a class, with labels.",
        group="Task",
    )
    image_size: str = option(
        "224",
        "Height x width that images are cut to, in pixels: 224, or 224x160.",
        group="Data",
        metavar="HxW",
    )
    channels: Literal[1, 3] = option(3, "Colour channels: 1 (grey) or 3.", group="Data")
    size: str = option(
        "L12H12", "Largest network: layers and heads.", group="Template", metavar="LxHy"
    )
    head_dim: int = option(
        64, "Channels of an attention head; all sizes made later share it.", group="Template"
    )
    patch_size: int = option(16, "Side of a patch, in pixels.", group="Template")
    ranks: str = option(
        "auto",
        "Ranks r1,r2,r3 of the template (layers, inputs, outputs), or its share of the parameters "
        "of a dense network, such as 0.5; auto: all.",
        group="Template",
        metavar="auto|SHARE|r1,r2,r3",
    )
    subnetworks: str = option(
        "auto",
        "Smaller networks that are trained as well, so that they can be cut out of the template: "
        "sizes such as L3H3,L6H6, or narrower ones (width), shallower ones (depth), both (auto).",
        group="Template",
        metavar="auto|width|depth|LxHy,…",
    )
    subnetwork_rate: float = option(
        0.4, "Share of each batch that trains one of them, in [0, 1].", group="Template"
    )
    subnetwork_start: float = option(
        0.6,
        "Share of the epochs in which the whole network is trained alone, in [0, 1).",
        group="Template",
    )
    optimizer: Literal["muon", "adamw"] = option(
        "muon",
        "Muon trains kernels with steps of equal size in all directions (the rest by AdamW); "
        "adamw trains everything alike.",
        group="Training",
    )
    class_token: bool = option(False, "Put a class token before the patches.", group="Template")
    positions: Literal["sincos", "learned"] = option(
        "sincos", "Positions of the patches: fixed sines and cosines, or learned.", group="Template"
    )
    pixel_mean: float = option(
        127.5, "Subtracted from the pixels, in 0 to 255, within the network.", group="Data"
    )
    pixel_std: float = option(127.5, "Divides the pixels after that.", group="Data")
    mask_ratio: float = option(
        0.75, "Fraction of the patches that is hidden, in (0, 1).", group="Autoencoder"
    )
    decoder: str | None = option(
        None,
        "Layers and heads of the decoder; by default two layers of half the heads.",
        group="Autoencoder",
        metavar="LxHy",
    )

    def check(self) -> None:
        """Checks every range."""
        super().check()
        self.require_other_task(("mask_ratio", "decoder"))
        parse_image_size(self.image_size)
        size = ViTSize.parse(self.size, self.head_dim)
        check_ranks(parse_ranks(self.ranks), size)
        choose_subnetworks(size, parse_subnetworks(self.subnetworks))
        if self.decoder is not None:
            ViTSize.parse(self.decoder, self.head_dim)
        self.require("patch_size", self.patch_size > 0, "a positive integer")
        self.require("subnetwork_rate", 0 <= self.subnetwork_rate <= 1, "in [0, 1]")
        self.require("subnetwork_start", 0 <= self.subnetwork_start < 1, "in [0, 1)")
        self.require("pixel_std", self.pixel_std > 0, "positive")
        self.require("mask_ratio", 0 < self.mask_ratio < 1, "in (0, 1), both excluded")
