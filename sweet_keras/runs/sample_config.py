"""Options of `sweet sample`."""

from pathlib import Path

from sweet_keras.runs.config import Config, option


class SampleConfig(Config):
    """Options of `sweet sample`."""

    model: str = option(
        help="The generator.", group="Model", positional=True, metavar="GENERATOR.keras"
    )
    grid: str = option(
        help="Picture to write, ending in .png: a row for each class.",
        group="Output",
        metavar="FILE.png",
    )
    count: int = option(8, "Images of each class.", group="Images")
    classes: tuple[int, ...] = option(
        (), "Number of a class, from 0; repeat it for several. By default all.", group="Images"
    )
    steps: int = option(50, "Steps of the sampler.", group="Images")
    guidance: float = option(
        2.0,
        "How much the class counts: 1 is the model as trained, more is clearer.",
        group="Images",
    )
    sampler: str | None = option(
        None,
        "heun (default) or euler for a generator that was trained on flows, ddim for ddpm.",
        group="Images",
        metavar="NAME",
    )
    batch_size: int = option(128, "Images at a time.", group="Images")
    seed: int = option(0, "Decides the noise, 0 or above.", group="Images")
    overwrite: bool = option(False, "Replace a picture that is there already.", group="Output")

    def check(self) -> None:
        """Checks every range."""
        for name in ("count", "steps", "batch_size"):
            self.require(name, getattr(self, name) > 0, "a positive integer")
        self.require("classes", all(number >= 0 for number in self.classes), "0 or above")
        self.require("seed", self.seed >= 0, "0 or above")
        self.require("grid", self.grid.endswith(".png"), "a file ending in .png")
        new = self.overwrite or not Path(self.grid).exists()
        self.require("grid", new, "new; pass --overwrite to replace it")
