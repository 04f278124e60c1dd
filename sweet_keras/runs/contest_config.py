"""Options that `sweet quickstart` and `sweet compare` share."""

from typing import Literal

from sweet_keras.core.size import ViTSize
from sweet_keras.runs.config import Config, option
from sweet_keras.runs.pretrain_config import PretrainConfig
from sweet_keras.runs.training_config import ADAPT_EPOCHS

# Options of a pre-training that are called the same there.
_SAME = (
    "image_size channels head_dim patch_size ranks subnetworks subnetwork_rate "
    "subnetwork_start pixel_mean pixel_std mask_ratio decoder weight_decay warmup"
).split()


class ContestConfig(Config):
    """One source pre-trained for all sizes, and networks fine-tuned alike; defaults are small."""

    data: str  # declared by each with a help text of its own, as are `out` and `sizes`
    out: str
    sizes: tuple[str, ...]

    seeds: int = option(
        3,
        "Fine-tunings of each size and method, each with its own seed.",
        group="Run",
        may_change=True,
    )
    image_size: str = option("28", "Height x width, in pixels.", group="Data", metavar="HxW")
    channels: int = option(1, "Colour channels.", group="Data")
    pixel_mean: float = option(
        72.9, "Subtracted from the pixels, in 0 to 255: the mean of the bundled ones.", group="Data"
    )
    pixel_std: float = option(
        90.0, "Divides the pixels after that: the deviation of the bundled ones.", group="Data"
    )
    source_size: str = option(
        "L6H6", "Size that is pre-trained once for all sizes.", group="Pre-training", metavar="LxHy"
    )
    head_dim: int = option(8, "Channels of an attention head.", group="Pre-training")
    patch_size: int = option(4, "Side of a patch, in pixels.", group="Pre-training")
    ranks: str = option(
        "auto",
        "Ranks r1,r2,r3 of the template, or its share of a dense network.",
        group="Pre-training",
        metavar="auto|SHARE|r1,r2,r3",
    )
    subnetworks: str = option(
        "auto",
        "Smaller networks that are trained within the template: sizes, or width, depth, auto.",
        group="Pre-training",
        metavar="auto|width|depth|LxHy,…",
    )
    subnetwork_rate: float = option(
        0.4, "Share of a template's batches that trains one of them.", group="Pre-training"
    )
    subnetwork_start: float = option(
        0.6,
        "Share of the epochs in which a template's whole network is trained alone.",
        group="Pre-training",
    )
    mask_ratio: float = option(
        0.75, "Fraction of the patches that is hidden.", group="Pre-training"
    )
    decoder: str = option(
        "L1H4", "Layers and heads of the decoder.", group="Pre-training", metavar="LxHy"
    )
    pretrain_epochs: int = option(
        10, "Passes over all images, without labels, for each source.", group="Pre-training"
    )
    pretrain_batch_size: int = option(256, "Images in each step.", group="Pre-training")
    pretrain_learning_rate: float = option(
        4e-3, "Highest learning rate, of every source.", group="Pre-training"
    )
    pretrain_optimizer: Literal["muon", "adamw"] = option(
        "muon", "Optimizer of every source.", group="Pre-training"
    )
    adapt_epochs: float = option(
        ADAPT_EPOCHS, "Passes over the images to adapt a size.", group="Pre-training"
    )
    adapt_batch_size: int = option(
        128, "Images in each step of adapting a size.", group="Pre-training"
    )
    labels: int = option(
        1000, "Labels to fine-tune with, evenly over classes.", group="Fine-tuning"
    )
    finetune_steps: int = option(200, "Steps of each fine-tuning.", group="Fine-tuning")
    finetune_batch_size: int = option(50, "Images in each step.", group="Fine-tuning")
    augment: bool = option(
        False, "Vary the images while fine-tuning (crops, flips).", group="Fine-tuning"
    )
    weight_decay: float = option(
        0.05, "Weight decay of AdamW, of the pre-training as well.", group="Fine-tuning"
    )
    warmup: float = option(
        0.1,
        "Fraction of the steps in which the rate rises, in [0, 1), of the pre-training as well.",
        group="Fine-tuning",
    )
    curve_points: int = option(10, "Times the accuracy is measured.", group="Fine-tuning")

    def check(self) -> None:
        """Checks every range."""
        for size in (self.source_size, self.decoder, *self.sizes):
            ViTSize.parse(size, self.head_dim)
        self.require_once("sizes")
        positive = (
            "seeds labels pretrain_epochs pretrain_batch_size adapt_batch_size finetune_steps "
            "finetune_batch_size curve_points"
        )
        for name in positive.split():
            self.require(name, getattr(self, name) > 0, "a positive integer")
        for name in ("pretrain_learning_rate", "adapt_epochs"):
            self.require(name, getattr(self, name) > 0, "positive")
        fits = self.finetune_steps % self.curve_points == 0
        self.require("curve_points", fits, f"a divisor of {self.finetune_steps}, the steps")
        enough = self.labels >= self.finetune_batch_size
        self.require("labels", enough, f"at least one batch, {self.finetune_batch_size}")
        self.pretraining(self.out, self.source_size)  # checks the rest

    def require_once(self, name: str) -> None:
        """Raises a `ValueError` unless an option has values, none of them twice."""
        values = getattr(self, name)
        once = bool(values) and len(set(values)) == len(values)
        self.require(name, once, "given at least once, no value twice")

    def pretraining(self, out: str, size: str) -> PretrainConfig:
        """Returns the options of one source's pre-training.

        Args:
            out: Its folder.
            size: Its size.
        """
        return PretrainConfig(
            data=self.data,
            out=out,
            size=size,
            epochs=self.pretrain_epochs,
            batch_size=self.pretrain_batch_size,
            learning_rate=self.pretrain_learning_rate,
            optimizer=self.pretrain_optimizer,
            **{name: getattr(self, name) for name in _SAME},
        )
