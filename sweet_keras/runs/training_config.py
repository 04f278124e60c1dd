"""Options that every training has."""

from pathlib import Path
from typing import Literal

from sweet_keras.runs.config import Config, option
from sweet_keras.runs.saving import Saving

DType = Literal["float32", "mixed_bfloat16", "mixed_float16", "bfloat16"]

# Passes over the images by which a size is adapted, if nothing is said.
ADAPT_EPOCHS = 1.0

# Images in a batch that `--learning-rate-scaling` takes the rate for.
_SCALED_FROM = 256

SPEC = (
    "a folder of images, a .npz file, IDX files, 'fashion-mnist' (bundled) or "
    "'tfds:NAME' (TensorFlow Datasets, already downloaded)"
)


OnError = Literal["raise", "skip"]
ON_ERROR = "What to do about broken images and annotations: stop, or leave them out."


class TrainingConfig(Config):
    """What pre-training and fine-tuning share; each has `data` and `out` besides."""

    data: str  # declared by each with a help text of its own, as is `out`
    out: str

    seed: int = option(0, "Decides all random numbers, 0 to 2147483647.", group="Run")
    on_error: OnError = option("raise", ON_ERROR, group="Data")
    workers: int = option(
        0,
        "Threads that read and cut images ahead of time; 0 reads when a batch is needed.",
        group="Data",
        may_change=True,
    )
    epochs: int = option(100, "Passes over the images.", group="Training", may_change=True)
    batch_size: int = option(256, "Images in each step; all, if there are fewer.", group="Training")
    learning_rate: float = option(
        1.5e-3, "Highest learning rate; falls as a cosine.", group="Training"
    )
    weight_decay: float = option(0.05, "Weight decay of AdamW.", group="Training")
    warmup: float = option(
        0.05,
        "Fraction of all steps in which the learning rate rises, in [0, 1).",
        group="Training",
    )
    dtype: DType = option(
        "float32",
        "Precision of the computation; weights stay in float32 where mixed.",
        group="Training",
    )
    learning_rate_scaling: Literal["none", "linear", "sqrt"] = option(
        "none",
        "Take --learning-rate for batches of 256 and multiply it by batch size / 256 (linear), or "
        "by the root of that (sqrt).",
        group="Training",
    )
    jit: bool | None = option(
        None,
        "Compile the training step; by default as keras decides for the backend (on torch with one "
        "GPU, steps are repeated as CUDA graphs then).",
        group="Training",
    )

    checkpoint_minutes: float = option(
        10.0,
        "Save after so many minutes as well as after each epoch; 0 for epochs only.",
        group="Run",
        may_change=True,
    )
    checkpoint_steps: int = option(
        0, "Save after every so many steps as well; 0 for not.", group="Run", may_change=True
    )
    keep: int = option(2, "Checkpoints that are kept, the newest.", group="Run", may_change=True)
    skip_limit: int = option(
        30,
        "Steps that are skipped because their gradients are not finite, before the training stops.",
        group="Training",
        may_change=True,
    )

    def saving(self) -> Saving:
        """Returns when checkpoints are written, and what is kept."""
        return Saving(
            minutes=self.checkpoint_minutes,
            steps=self.checkpoint_steps,
            keep=self.keep,
            skip_limit=self.skip_limit,
        )

    devices: str = option(
        "1",
        "Devices to train on: a number, or all. --batch-size is that of all together. On torch "
        "start one process for each with torchrun; on several hosts see docs/devices.md.",
        group="Devices",
        metavar="N|all",
        may_change=True,
    )
    accumulate: int = option(
        1,
        "Divide each batch into so many parts, one after the other, and add their gradients up, "
        "to save memory.",
        group="Devices",
    )
    remat: bool = option(
        False,
        "Compute what is inside of blocks again for the gradient, instead of keeping it: less "
        "memory, more time.",
        group="Devices",
        may_change=True,
    )

    def reading(self) -> dict[str, int]:
        """Returns what decides the order of the images and how they are read."""
        return {"seed": self.seed, "workers": self.workers}

    @property
    def peak_rate(self) -> float:
        """The highest learning rate, scaled to the batch size if that is asked for."""
        power = {"none": 0.0, "linear": 1.0, "sqrt": 0.5}[self.learning_rate_scaling]
        return self.learning_rate * (self.batch_size / _SCALED_FROM) ** power

    def part_of(self, batch_size: int) -> int:
        """Returns how many images of a whole batch go through the network at once.

        Raises:
            ValueError: If `accumulate` does not divide them.
        """
        fits = batch_size % self.accumulate == 0
        self.require("accumulate", fits, f"a divisor of the batch size, {batch_size}")
        return batch_size // self.accumulate

    def check(self) -> None:
        """Checks every range."""
        data, out = Path(self.data), Path(self.out).resolve()
        inside = data.is_dir() and data.resolve() in (out, *out.parents)
        self.require("out", not inside, f"outside of {data}, the folder of images")
        self.require("epochs", self.epochs > 0, "a positive integer")
        self.require("batch_size", self.batch_size > 0, "a positive integer")
        self.require("learning_rate", self.learning_rate > 0, "positive")
        self.require("weight_decay", self.weight_decay >= 0, "0 or above")
        self.require("warmup", 0 <= self.warmup < 1, "in [0, 1)")
        self.require("seed", 0 <= self.seed < 2**31, "from 0 to 2147483647")
        known = self.devices == "all" or (self.devices.isdecimal() and int(self.devices) > 0)
        self.require("devices", known, "a positive number or all")
        self.require("accumulate", self.accumulate > 0, "a positive integer")
        self.require("workers", self.workers >= 0, "0 or above")
        self.require("checkpoint_minutes", self.checkpoint_minutes >= 0, "0 or above")
        self.require("checkpoint_steps", self.checkpoint_steps >= 0, "0 or above")
        self.require("keep", self.keep > 0, "a positive integer")
        self.require("skip_limit", self.skip_limit > 0, "a positive integer")
