"""Options of `sweet compare`."""

from sweet_keras.runs.config import option
from sweet_keras.runs.contest_config import ContestConfig
from sweet_keras.runs.method_names import METHODS
from sweet_keras.runs.training_config import SPEC
from sweet_keras.runs.variants import VARIANTS, WITH_VARIANTS, is_known

_KNOWN = (
    f"{', '.join(METHODS)}; {' or '.join(WITH_VARIANTS)} followed by one of "
    f"{', '.join(':' + name for name in VARIANTS)}"
)


class CompareConfig(ContestConfig):
    """Everything that decides a comparison; the same for all methods but their learning rate."""

    data: str = option(
        help=f"Labelled images with a test part: {SPEC}.", group="Data", metavar="SPEC"
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
