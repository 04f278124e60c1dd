"""Options of generators: what they learn, and how their images are made and measured."""

from collections.abc import Iterable
from typing import Any, Literal

from sweet_keras.runs.config import Config, option
from sweet_keras.runs.task_config import TaskConfig

# Images that precision and recall need, one more than the neighbours they count.
LEAST_IMAGES = 4


class ObjectiveConfig(Config):
    """What a generator learns; each has a `task` besides, of which one is `"generate"`."""

    task: str

    objective: Literal["flow", "ddpm"] | None = option(
        None,
        "What a generator learns: flow, velocities along straight lines from image to noise "
        "(default), or ddpm, the noise.",
        group="Generation",
    )
    label_dropout: float | None = option(
        None,
        "Share of a batch whose labels are hidden from a generator, in [0, 1), which guidance "
        "needs; 0.1 by default.",
        group="Generation",
    )

    def check(self) -> None:
        """Checks every range."""
        super().check()
        self.require_task(("objective", "label_dropout"))
        dropout = self.label_dropout
        self.require("label_dropout", dropout is None or 0 <= dropout < 1, "in [0, 1)")

    def learning(self) -> dict[str, Any]:
        """Returns the arguments of `ImageGenerator` that were given."""
        given = {"objective": self.objective, "label_dropout": self.label_dropout}
        return {name: value for name, value in given.items() if value is not None}

    def require_task(self, names: Iterable[str]) -> None:
        """Raises a `ValueError` unless options of generators are left out elsewhere."""
        for name in names:
            fits = self.task == "generate" or getattr(self, name) == self.default(name)
            self.require(name, fits, f"left out to {self.task}")

    def require_other_task(self, names: Iterable[str]) -> None:
        """Raises a `ValueError` unless options of other tasks are left out to generate."""
        for name in names:
            fits = self.task != "generate" or getattr(self, name) == self.default(name)
            self.require(name, fits, "left out to generate")

    def default(self, name: str) -> Any:
        """Returns the value of an option that is left out."""
        return self.options()[name].default


class SamplingConfig(Config):
    """How images are made, and with what they are measured."""

    classifier: str | None = option(
        None,
        "Network of 'sweet finetune' for the same classes, in whose features generated images are "
        "compared with the test images; without it nothing is measured.",
        group="Measuring",
        metavar="CLASSIFIER.keras",
    )
    samples: int = option(1000, "Images to make and measure.", group="Measuring")
    sampler: str | None = option(
        None,
        "How images are made of noise: heun (default) or euler for the objective flow, ddim for "
        "ddpm.",
        group="Measuring",
        metavar="NAME",
    )
    sample_steps: int = option(50, "Steps of the sampler.", group="Measuring")
    guidance: float = option(
        2.0,
        "How much the class counts when images are made: 1 is the model as trained, more is "
        "clearer.",
        group="Measuring",
    )

    def check(self) -> None:
        """Checks every range."""
        super().check()
        self.require("samples", self.samples >= LEAST_IMAGES, f"at least {LEAST_IMAGES}")
        self.require("sample_steps", self.sample_steps > 0, "a positive integer")

    def sampling(self) -> dict[str, Any]:
        """Returns the arguments of `ImageGenerator.generate` that these options decide."""
        return {"steps": self.sample_steps, "sampler": self.sampler, "guidance": self.guidance}


class GenerationConfig(TaskConfig, ObjectiveConfig, SamplingConfig):
    """The tasks of `sweet finetune`, generation among them."""

    task: Literal["classify", "detect", "segment", "generate"] = option(
        "classify",
        "What is learned: the class of an image, boxes of objects, the class of each pixel, or to "
        "generate images of a class.",
        group="Task",
    )
    ema: float | None = option(
        None,
        "Momentum of the moving average of a generator's weights that is kept in the end, in "
        "[0, 1); 0 keeps the last ones. By default 0.999, or 1 - 20 / steps if that is less.",
        group="Generation",
    )
    measure_every: int | None = option(
        None,
        "Epochs from one measuring of a generator to the next; by default five in all. The last "
        "comes at the end. Needs --classifier.",
        group="Measuring",
        may_change=True,
    )

    def check(self) -> None:
        """Checks every range."""
        super().check()
        self.require_task(SamplingConfig.options())
        self.require_task(("ema", "measure_every"))
        self.require("ema", self.ema is None or 0 <= self.ema < 1, "in [0, 1)")
        every = self.measure_every
        self.require("measure_every", every is None or every > 0, "a positive integer")
        alone = every is not None and self.classifier is None
        self.require("measure_every", not alone, "left out without --classifier")

    def momentum(self, steps: int) -> float:
        """Returns the momentum of the average of the weights over so many steps."""
        return max(0.0, min(0.999, 1 - 20 / steps)) if self.ema is None else self.ema
