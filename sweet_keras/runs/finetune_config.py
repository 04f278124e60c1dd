"""Options of `sweet finetune` and `sweet evaluate`."""

from typing import Literal

from sweet_keras.runs.config import Config, option
from sweet_keras.runs.generation_config import GenerationConfig
from sweet_keras.runs.task_config import ANNOTATED
from sweet_keras.runs.training_config import (
    ADAPT_EPOCHS,
    ON_ERROR,
    SPEC,
    OnError,
    TrainingConfig,
)

Start = Literal["auto", "slice", "adapt", "random"]


class FinetuneConfig(GenerationConfig, TrainingConfig):
    """Everything that decides what a fine-tuning does."""

    model: str = option(
        help="A template (.sweet) to make a network from, or a network (.keras) to go on with; to "
        "generate, also a generator (.keras), which is cut to --size if it carries a template.",
        group="Network",
        positional=True,
        metavar="TEMPLATE.sweet|MODEL.keras",
    )
    data: str = option(
        help=f"Labelled images to learn from: {SPEC}; {ANNOTATED}.", group="Data", metavar="SPEC"
    )
    out: str = option(help="Folder of the run.", group="Run", metavar="RUN")
    size: str | None = option(
        None,
        "Layers and heads of the network; by default the template's own. Templates, and generators "
        "that carry one.",
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
        ADAPT_EPOCHS, "Passes over the images for `--from adapt`.", group="Network"
    )
    image_size: str | None = option(
        None,
        "Height x width of the images, in pixels; by default the template's or the network's. "
        "With a network only to detect or segment.",
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
    epochs: int = option(50, "Passes over the labels.", group="Training", may_change=True)
    batch_size: int = option(128, "Images in each step; all, if there are fewer.", group="Training")
    learning_rate: float | None = option(
        None,
        "Highest learning rate, of AdamW, or of Muon to generate; falls as a cosine. By default "
        "0.001, to generate 0.004.",
        group="Training",
    )
    dropout: float = option(0.0, "Dropout before the classifier, in [0, 1).", group="Training")

    def check(self) -> None:
        """Checks every range, and puts in the learning rate if none is given."""
        if self.learning_rate is None:
            rate = 4e-3 if self.task == "generate" else 1e-3
            object.__setattr__(self, "learning_rate", rate)  # frozen
        super().check()
        self.require("labels", self.labels is None or self.labels > 0, "a positive integer")
        self.require("val_fraction", 0 <= self.val_fraction < 1, "in [0, 1)")
        self.require("adapt_epochs", self.adapt_epochs > 0, "positive")
        self.require("dropout", 0 <= self.dropout < 1, "in [0, 1)")
        self.require_other_task(("val_fraction", "augment", "dropout"))
        fits = self.task == "classify" or self.dropout == 0
        self.require("dropout", fits, f"0 to {self.task}")


class EvaluateConfig(Config):
    """Options of `sweet evaluate`."""

    model: str = option(
        help="A fine-tuned network.", group="Network", positional=True, metavar="MODEL.keras"
    )
    data: str = option(help=f"Labelled images: {SPEC}; {ANNOTATED}.", group="Data", metavar="SPEC")
    split: Literal["train", "test", "val"] = option(
        "test", "Part of the data, where it has parts.", group="Data"
    )
    on_error: OnError = option("raise", ON_ERROR, group="Data")
    batch_size: int = option(32, "Images at once.", group="Data")
    json: str | None = option(
        None, "Write the result to this file as well.", group="Output", metavar="FILE"
    )

    def check(self) -> None:
        """Checks every range."""
        self.require("batch_size", self.batch_size > 0, "a positive integer")
