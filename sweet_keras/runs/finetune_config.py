"""Options of `sweet finetune` and `sweet evaluate`."""

from typing import Literal

from sweet_keras.runs.config import Config, option
from sweet_keras.runs.pretrain_config import SPEC, DType

Start = Literal["auto", "slice", "adapt", "random"]


class FinetuneConfig(Config):
    """Everything that decides what a fine-tuning does."""

    model: str = option(
        help="A template (.sweet) to make a network from, or a network (.keras) to go on with.",
        group="Network",
        positional=True,
        metavar="TEMPLATE.sweet|MODEL.keras",
    )
    data: str = option(help=f"Labelled images to learn from: {SPEC}.", group="Data", metavar="SPEC")
    out: str = option(help="Folder of the run.", group="Run", metavar="RUN")
    size: str | None = option(
        None,
        "Layers and heads of the network; by default the template's own. Templates only.",
        group="Network",
        metavar="LxHy",
    )
    start: Start = option(
        "auto",
        "Where the weights come from. slice: cut from the template. adapt: cut, then fitted to "
        "the images without labels. random: a randomly initialised twin, to compare with. auto: "
        "slice for a template, the weights as they are for a network.",
        group="Network",
        name="from",
    )
    adapt_epochs: float = option(
        0.16, "Passes over the images for `--from adapt`.", group="Network"
    )
    image_size: str | None = option(
        None,
        "Height x width of the images, in pixels; by default the template's. Templates only.",
        group="Data",
        metavar="HxW",
    )
    labels: int | None = option(
        None,
        "Learn from this many labels only, evenly over the classes; by default all.",
        group="Data",
    )
    val_fraction: float = option(
        0.1,
        "Fraction of these labels kept back to follow the progress, in [0, 1). The test images "
        "are used once, at the end.",
        group="Data",
    )
    augment: bool = option(
        True, "Vary the training images (crops, flips) at each step.", group="Data"
    )
    on_error: Literal["raise", "skip"] = option(
        "raise",
        "What to do about broken files in a folder of images: stop, or leave them out.",
        group="Data",
    )
    workers: int = option(
        0,
        "Threads that read and cut images ahead of time; 0 reads when a batch is needed.",
        group="Data",
        may_change=True,
    )
    epochs: int = option(50, "Passes over the labels.", group="Training", may_change=True)
    batch_size: int = option(128, "Images in each step.", group="Training")
    learning_rate: float = option(
        1e-3, "Highest learning rate of AdamW; falls as a cosine.", group="Training"
    )
    weight_decay: float = option(0.05, "Weight decay of AdamW.", group="Training")
    warmup: float = option(
        0.05,
        "Fraction of all steps in which the learning rate rises, in [0, 1).",
        group="Training",
    )
    dropout: float = option(0.0, "Dropout before the classifier, in [0, 1).", group="Training")
    dtype: DType = option(
        "float32",
        "Precision of the computation; weights stay in float32 where mixed.",
        group="Training",
    )
    jit: bool | None = option(
        None,
        "Compile the training step; by default as keras decides for the backend.",
        group="Training",
    )
    seed: int = option(0, "Decides all random numbers, 0 or above.", group="Run")

    def check(self) -> None:
        """Checks every range."""
        for name in ("epochs", "batch_size"):
            self.require(name, getattr(self, name) > 0, "a positive integer")
        self.require("labels", self.labels is None or self.labels > 0, "a positive integer")
        self.require("val_fraction", 0 <= self.val_fraction < 1, "in [0, 1)")
        self.require("adapt_epochs", self.adapt_epochs > 0, "positive")
        self.require("learning_rate", self.learning_rate > 0, "positive")
        self.require("weight_decay", self.weight_decay >= 0, "0 or above")
        self.require("warmup", 0 <= self.warmup < 1, "in [0, 1)")
        self.require("dropout", 0 <= self.dropout < 1, "in [0, 1)")
        self.require("seed", self.seed >= 0, "0 or above")
        self.require("workers", self.workers >= 0, "0 or above")


class EvaluateConfig(Config):
    """Options of `sweet evaluate`."""

    model: str = option(
        help="A fine-tuned network.", group="Network", positional=True, metavar="MODEL.keras"
    )
    data: str = option(help=f"Labelled images: {SPEC}.", group="Data", metavar="SPEC")
    split: Literal["train", "test"] = option(
        "test", "Part of the data, where it has parts.", group="Data"
    )
    batch_size: int = option(256, "Images at once.", group="Data")
    json: str | None = option(
        None, "Write the result to this file as well.", group="Output", metavar="FILE"
    )

    def check(self) -> None:
        """Checks every range."""
        self.require("batch_size", self.batch_size > 0, "a positive integer")
