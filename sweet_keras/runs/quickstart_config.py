"""The recipe of `sweet quickstart`: every constant of it, in one place."""

from sweet_keras.runs.config import option
from sweet_keras.runs.contest_config import ContestConfig


class QuickstartConfig(ContestConfig):
    """Everything that decides what the quickstart does.

    All methods get the same steps, labels, batches, learning rate and seeds.
    """

    out: str = option("sweet-quickstart", "Folder of the run.", group="Run", metavar="RUN")
    data: str = option(
        "fashion-mnist",
        "Labelled images with a test part; the recipe below is made for the bundled ones.",
        group="Data",
        metavar="SPEC",
    )
    sizes: tuple[str, ...] = option(
        ("L3H3", "L6H3", "L6H6"),
        "Sizes made from the template; repeat the option for several.",
        group="Run",
        metavar="LxHy",
    )
    finetune_learning_rate: float = option(
        4e-3, "Highest learning rate, for all methods.", group="Fine-tuning"
    )

    patch_size = 7
    pretrain_epochs = 30
    pretrain_batch_size = 128
    adapt_epochs = 6.0
    labels = 500
    finetune_steps = 100
    curve_points = 4

    def check(self) -> None:
        """Checks every range."""
        super().check()
        positive = self.finetune_learning_rate > 0
        self.require("finetune_learning_rate", positive, "positive")
