"""Options of `sweet init` and `sweet info`."""

from sweet_keras.runs.config import Config, option
from sweet_keras.runs.training_config import ADAPT_EPOCHS, SPEC


class InitConfig(Config):
    """Options of `sweet init`."""

    template: str = option(
        help="The template to make networks from.",
        group="Network",
        positional=True,
        metavar="TEMPLATE.sweet",
    )
    size: tuple[str, ...] = option(
        help="Layers and heads of the network; repeat it to make several.",
        group="Network",
        metavar="LxHy",
    )
    out: str = option(
        help="File to write, ending in .keras; with several sizes a folder, which gets one file "
        "for each, named after the size.",
        group="Output",
        metavar="FILE|FOLDER",
    )
    image_size: str | None = option(
        None,
        "Height x width the network takes, in pixels; by default the template's.",
        group="Network",
        metavar="HxW",
    )
    adapt: str | None = option(
        None,
        "Fit the cut network to these images, without labels, with the template's core frozen: "
        f"{SPEC}. By default the network is only cut, in well under a second.",
        group="Adapt",
        metavar="SPEC",
    )
    adapt_epochs: float | None = option(
        None, f"Passes over the images of --adapt; by default {ADAPT_EPOCHS}.", group="Adapt"
    )
    batch_size: int = option(256, "Images in each step of that.", group="Adapt")
    seed: int = option(0, "Decides all random numbers, 0 or above.", group="Output")
    overwrite: bool = option(False, "Replace files that are there already.", group="Output")

    def check(self) -> None:
        """Checks every range."""
        self.require("size", bool(self.size), "given at least once")
        distinct = len(set(self.size)) == len(self.size)
        self.require("size", distinct, "given once for each network")
        if self.adapt_epochs is not None:
            self.require("adapt_epochs", self.adapt is not None, "left out without --adapt")
            self.require("adapt_epochs", self.adapt_epochs > 0, "positive")
        self.require("batch_size", self.batch_size > 0, "a positive integer")
        self.require("seed", self.seed >= 0, "0 or above")
        if len(self.size) == 1:
            self.require("out", self.out.endswith(".keras"), "a file ending in .keras")
        else:
            folder = not self.out.endswith(".keras")
            self.require("out", folder, "a folder where several sizes are made")


class InfoConfig(Config):
    """Options of `sweet info`."""

    file: str = option(
        help="A template or a network.",
        group="File",
        positional=True,
        metavar="TEMPLATE.sweet|MODEL.keras",
    )
