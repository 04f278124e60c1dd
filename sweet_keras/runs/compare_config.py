"""Options of `sweet compare`."""

from sweet_keras.core.size import ViTSize
from sweet_keras.runs.config import Config, option
from sweet_keras.runs.geometry import check_ranks, parse_image_size, parse_ranks
from sweet_keras.runs.method_names import METHODS
from sweet_keras.runs.training_config import SPEC


class CompareConfig(Config):
    """Everything that decides a comparison; the same for all methods but their learning rate."""

    data: str = option(
        help=f"Labelled images with a test part: {SPEC}.", group="Data", metavar="SPEC"
    )
    out: str = option(help="Folder of the comparison.", group="Run", metavar="RUN")
    methods: tuple[str, ...] = option(
        ("random", "xavier", "prefix", "direct", "sweet_slice", "sweet_adapt"),
        f"Ways to start a network; repeat the option for several. Known: {', '.join(METHODS)}.",
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
    seeds: int = option(
        3,
        "Fine-tunings of each method and size, each with its own seed.",
        group="Run",
        may_change=True,
    )
    image_size: str = option("28", "Height x width, in pixels.", group="Data", metavar="HxW")
    channels: int = option(1, "Colour channels.", group="Data")
    pixel_mean: float = option(72.9, "Subtracted from the pixels, in 0 to 255.", group="Data")
    pixel_std: float = option(90.0, "Divides the pixels after that.", group="Data")
    labels: int = option(1000, "Labels to fine-tune with, evenly over classes.", group="Data")
    validation: float = option(
        0.1,
        "Fraction of the training images whose labels choose the learning rate, in (0, 1). They "
        "are not fine-tuned on.",
        group="Data",
    )
    source_size: str = option(
        "L6H6", "Size that is pre-trained once for all sizes.", group="Pre-training", metavar="LxHy"
    )
    head_dim: int = option(8, "Channels of an attention head.", group="Pre-training")
    patch_size: int = option(4, "Side of a patch, in pixels.", group="Pre-training")
    ranks: str = option(
        "auto", "Ranks of the template.", group="Pre-training", metavar="auto|r1,r2,r3"
    )
    width_rate: float = option(
        0.5, "Probability that a template's step is narrowed.", group="Pre-training"
    )
    depth_rate: float = option(
        0.0, "Probability that a template's step is made shallower.", group="Pre-training"
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
    adapt_epochs: float = option(
        0.16, "Passes over the images to adapt a size.", group="Pre-training"
    )
    learning_rates: tuple[float, ...] = option(
        (1e-3, 4e-3),
        "The grid each method and size chooses from on the validation images; repeat the option.",
        group="Fine-tuning",
        metavar="RATE",
        may_change=True,
    )
    finetune_steps: int = option(200, "Steps of each fine-tuning.", group="Fine-tuning")
    finetune_batch_size: int = option(50, "Images in each step.", group="Fine-tuning")
    augment: bool = option(
        False, "Vary the images while fine-tuning (crops, flips).", group="Fine-tuning"
    )
    weight_decay: float = option(0.05, "Weight decay of AdamW.", group="Fine-tuning")
    warmup: float = option(
        0.1, "Fraction of the steps in which the rate rises, in [0, 1).", group="Fine-tuning"
    )
    curve_points: int = option(
        10, "Times the validation accuracy is measured.", group="Fine-tuning"
    )

    def check(self) -> None:
        """Checks every range."""
        parse_image_size(self.image_size)
        source = ViTSize.parse(self.source_size, self.head_dim)
        check_ranks(parse_ranks(self.ranks), source)
        for size in (self.decoder, *self.sizes):
            ViTSize.parse(size, self.head_dim)
        for name in ("methods", "sizes", "learning_rates"):
            values = getattr(self, name)
            once = bool(values) and len(set(values)) == len(values)
            self.require(name, once, "given at least once, no value twice")
        known = set(self.methods) <= set(METHODS)
        self.require("methods", known, f"of {', '.join(METHODS)}")
        positive = (
            "seeds labels patch_size pretrain_epochs pretrain_batch_size finetune_steps "
            "finetune_batch_size curve_points"
        )
        for name in positive.split():
            self.require(name, getattr(self, name) > 0, "a positive integer")
        for name in ("pretrain_learning_rate", "adapt_epochs", "pixel_std"):
            self.require(name, getattr(self, name) > 0, "positive")
        self.require("learning_rates", min(self.learning_rates) > 0, "positive")
        self.require("weight_decay", self.weight_decay >= 0, "0 or above")
        self.require("validation", 0 < self.validation < 1, "in (0, 1)")
        self.require("warmup", 0 <= self.warmup < 1, "in [0, 1)")
        fits = self.finetune_steps % self.curve_points == 0
        self.require("curve_points", fits, f"a divisor of {self.finetune_steps}, the steps")
        enough = self.labels >= self.finetune_batch_size
        self.require("labels", enough, f"at least one batch, {self.finetune_batch_size}")
