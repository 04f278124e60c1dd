"""The recipe of `sweet quickstart`: every constant of it, in one place."""

from sweet_keras.core.size import ViTSize
from sweet_keras.runs.config import Config, option


class QuickstartConfig(Config):
    """Everything that decides what the quickstart does.

    All methods get the same steps, labels, batches, learning rate and seeds.
    """

    out: str = option("sweet-quickstart", "Folder of the run.", group="Run", metavar="RUN")
    seeds: int = option(
        3, "Fine-tunings of each size and method, each with its own seed.", group="Run"
    )
    data: str = option(
        "fashion-mnist",
        "Labelled images with a test part; the recipe below is made for the bundled ones.",
        group="Data",
        metavar="SPEC",
    )
    source_size: str = option(
        "L6H6", "Size the template is trained at.", group="Template", metavar="LxHy"
    )
    sizes: tuple[str, ...] = option(
        ("L3H3", "L6H3", "L6H6"),
        "Sizes made from it; repeat the option for several.",
        group="Template",
        metavar="LxHy",
    )
    head_dim: int = option(8, "Channels of an attention head.", group="Template")
    patch_size: int = option(7, "Side of a patch, in pixels.", group="Template")
    image_size: str = option(
        "28", "Height x width of the images, in pixels.", group="Data", metavar="HxW"
    )
    channels: int = option(1, "Colour channels.", group="Data")
    ranks: str = option(
        "auto", "Ranks r1,r2,r3 of the template.", group="Template", metavar="auto|r1,r2,r3"
    )
    width_rate: float = option(
        0.5, "Probability that a pre-training step is narrowed.", group="Template"
    )
    depth_rate: float = option(
        0.25,
        "Probability that a pre-training step keeps only evenly spaced layers.",
        group="Template",
    )
    pixel_mean: float = option(
        72.9, "Subtracted from the pixels: the mean of the bundled images.", group="Data"
    )
    pixel_std: float = option(
        90.0, "Divides the pixels: the deviation of the bundled images.", group="Data"
    )
    mask_ratio: float = option(0.75, "Fraction of the patches that is hidden.", group="Template")
    decoder: str = option(
        "L1H4", "Layers and heads of the decoder.", group="Template", metavar="LxHy"
    )
    pretrain_epochs: int = option(30, "Passes over the images, without labels.", group="Training")
    pretrain_batch_size: int = option(128, "Images in each pre-training step.", group="Training")
    pretrain_learning_rate: float = option(
        4e-3, "Highest learning rate of the pre-training.", group="Training"
    )
    adapt_epochs: float = option(0.16, "Passes over the images to adapt a size.", group="Training")
    labels: int = option(500, "Labels to fine-tune with, evenly over classes.", group="Training")
    finetune_steps: int = option(100, "Fine-tuning steps.", group="Training")
    finetune_batch_size: int = option(50, "Images in each fine-tuning step.", group="Training")
    finetune_learning_rate: float = option(
        4e-3, "Highest learning rate of the fine-tuning, for all methods.", group="Training"
    )
    weight_decay: float = option(0.05, "Weight decay of AdamW.", group="Training")
    warmup: float = option(
        0.1, "Fraction of the steps in which the learning rate rises.", group="Training"
    )
    curve_points: int = option(
        4, "Times the accuracy is measured during a fine-tuning.", group="Training"
    )

    def check(self) -> None:
        """Checks every range."""
        for size in (self.source_size, self.decoder, *self.sizes):
            ViTSize.parse(size, self.head_dim)
        self.require("sizes", bool(self.sizes), "given at least once")
        positive = (
            "seeds",
            "pretrain_epochs",
            "pretrain_batch_size",
            "labels",
            "finetune_steps",
            "finetune_batch_size",
            "curve_points",
            "patch_size",
        )
        for name in positive:
            self.require(name, getattr(self, name) > 0, "a positive integer")
        for name in ("pretrain_learning_rate", "finetune_learning_rate", "adapt_epochs"):
            self.require(name, getattr(self, name) > 0, "positive")
        fits = self.finetune_steps % self.curve_points == 0
        self.require("curve_points", fits, f"a divisor of {self.finetune_steps}, the steps")
        enough = self.labels >= self.finetune_batch_size
        self.require("labels", enough, f"at least one batch, {self.finetune_batch_size}")
