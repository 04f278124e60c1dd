"""Options of `sweet compare`."""

from typing import Any

from sweet_keras.runs.config import option
from sweet_keras.runs.contest_config import ContestConfig
from sweet_keras.runs.geometry import parse_image_size
from sweet_keras.runs.method_names import METHODS
from sweet_keras.runs.task_config import ANNOTATED, TaskConfig
from sweet_keras.runs.training_config import SPEC
from sweet_keras.runs.variants import VARIANTS, WITH_VARIANTS, is_known

_KNOWN = (
    f"{', '.join(METHODS)}; {' or '.join(WITH_VARIANTS)} followed by one of "
    f"{', '.join(':' + name for name in VARIANTS)}"
)


class CompareConfig(TaskConfig, ContestConfig):
    """Everything that decides a comparison; the same for all methods but their learning rate."""

    data: str = option(
        help="Images that everything is pre-trained on and adapted to; to classify, labelled and "
        f"with a test part: {SPEC}.",
        group="Data",
        metavar="SPEC",
    )
    annotated: str | None = option(
        None,
        f"Images to fine-tune on, with a test part: {ANNOTATED}. Not to classify.",
        group="Data",
        metavar="SPEC",
    )
    annotated_size: str | None = option(
        None,
        "Height x width of these, in pixels; by default --image-size.",
        group="Data",
        metavar="HxW",
    )
    out: str = option(help="Folder of the comparison.", group="Run", metavar="RUN")
    methods: tuple[str, ...] = option(
        ("random", "xavier", "prefix", "direct", "sweet_slice", "sweet_adapt"),
        f"Ways to start a network; repeat the option for several. Known: {_KNOWN}.",
        group="Run",
        metavar="METHOD",
        may_change=True,
    )
    sizes: tuple[str, ...] = option(
        ("L3H3", "L6H6"),
        "Sizes to start; repeat the option for several.",
        group="Run",
        metavar="LxHy",
        may_change=True,
    )
    sources: str | None = option(
        None,
        "Folder of what is pre-trained, to be shared by comparisons on the same images, such as "
        "with other --labels; by default a folder within --out.",
        group="Run",
        metavar="FOLDER",
        may_change=True,
    )
    validation: float = option(
        0.1,
        "Fraction of the training images whose labels choose the learning rate, in (0, 1). They "
        "are not fine-tuned on.",
        group="Data",
    )
    learning_rates: tuple[float, ...] = option(
        (1e-3, 4e-3),
        "What each method and size chooses from: higher rates are tried while the accuracy on the "
        "validation images rises. Repeat the option.",
        group="Fine-tuning",
        metavar="RATE",
        may_change=True,
    )

    def check(self) -> None:
        """Checks every range."""
        super().check()
        for name in ("methods", "learning_rates"):
            self.require_once(name)
        known = all(is_known(name, METHODS) for name in self.methods)
        self.require("methods", known, f"of {_KNOWN}")
        self.require("learning_rates", min(self.learning_rates) > 0, "positive")
        self.require("validation", 0 < self.validation < 1, "in (0, 1)")
        dense = self.task != "classify"
        expected = f"given to {self.task}" if dense else "left out to classify"
        self.require("annotated", (self.annotated is not None) == dense, expected)
        self.require("annotated_size", dense or self.annotated_size is None, "left out to classify")
        self.task_shape  # refuses what is no size  # noqa: B018

    @property
    def task_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of the images that networks are fine-tuned on."""
        return (*parse_image_size(self.annotated_size or self.image_size), self.channels)

    def task_recipe(self) -> dict[str, Any]:
        """Returns what decides a fine-tuning besides the options of every task."""
        recipe = super().task_recipe()
        return recipe and {**recipe, "shape": list(self.task_shape)}
