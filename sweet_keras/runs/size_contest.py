"""All fine-tunings of one size in a comparison."""

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sweet_keras.data import Source
from sweet_keras.runs.cells import Cells, digest
from sweet_keras.runs.compare_config import CompareConfig
from sweet_keras.runs.finetuner import Finetuner
from sweet_keras.runs.learning_task import LearningTask
from sweet_keras.runs.measurements import Trial
from sweet_keras.runs.method_names import split_name
from sweet_keras.runs.methods import METHODS
from sweet_keras.runs.pretrained import Pretrained
from sweet_keras.runs.score import METRICS

_CURVE_IMAGES = 1000
# Options of the comparison that decide a fine-tuning, whatever the method.
_RECIPE = (
    "labels validation finetune_steps finetune_batch_size augment weight_decay warmup "
    "curve_points image_size channels patch_size head_dim pixel_mean pixel_std"
).split()


class SizeContest:
    """All fine-tunings of one size; one compiled classifier for each learning rate.

    Args:
        config: The recipe.
        task: What is learned.
        cells: Where fine-tunings are kept.
        pretrained: What networks are started from.
        size: The size.
        classes: Names of the classes.
        learned: Images to fine-tune with.
        validation: Images to choose the learning rate on.
        test: Images to measure the accuracy on.
    """

    def __init__(
        self,
        config: CompareConfig,
        task: LearningTask,
        cells: Cells,
        pretrained: Pretrained,
        size: str,
        classes: tuple[str, ...],
        learned: Source,
        validation: Source,
        test: Source,
    ) -> None:
        """Compiles nothing yet."""
        self.config, self.task, self.cells, self.pretrained = config, task, cells, pretrained
        self.size, self.classes, self.learned = size, classes, learned
        self.measured = {"validation": validation, "test": test}
        self.followed = task.few(validation, min(_CURVE_IMAGES, len(validation)), seed=0)
        self.finetuners: dict[float, Finetuner] = {}
        self.weights: dict[tuple[str, int], tuple[list[np.ndarray], float]] = {}

    def prepare(self, name: str) -> bool:
        """Whether what a method is started from is there; trained now, unless another does."""
        method, variant = split_name(name)
        return self.pretrained.prepare(METHODS[method].needs, self.size, variant)

    def done(self, name: str) -> list[Trial] | None:
        """The trials of a method on the test images, or None if some are missing."""

        def read(rate: float, part: str = "validation", seed: int = 0) -> Trial | None:
            return self.cells.read(self._cell(part, name, seed, rate))

        rate = _climb(self.config.learning_rates, read)
        if rate is None:
            return None
        trials = [read(rate, "test", seed) for seed in range(self.config.seeds)]
        return None if None in trials else trials

    def run(self, name: str, say: Callable[[str], None]) -> None:
        """Fine-tunes what is missing of a method: its learning rates, then the seeds."""

        def measure(rate: float) -> Trial:
            trial = self._trial("validation", name, 0, rate)
            say(f"{self.size} {name} at {rate:g}: validation {trial.accuracy:.1%}")
            return trial

        rate = _climb(self.config.learning_rates, measure)
        for seed in range(self.config.seeds):
            trial = self._trial("test", name, seed, rate)
            say(f"{self.size} {name} seed {seed}: {METRICS[self.task.name]} {trial.accuracy:.1%}")

    def _trial(self, part: str, name: str, seed: int, rate: float) -> Trial:
        cell = self._cell(part, name, seed, rate)
        trial = self.cells.read(cell)
        if trial is not None:
            return trial
        weights, seconds = self._start(name, seed)
        start = digest(weights)
        trial = self.cells.twin(cell, start)
        if trial is not None:
            trial = dataclasses.replace(trial, initialization_seconds=seconds)
        else:
            finetuner = self._finetuner(rate)
            last = finetuner.last
            if last is not None and (last.method, last.seed) == (name, seed):
                # Chosen a moment ago: the same fine-tuning, only to be tested.
                trial = finetuner.measure_again(self.measured[part])
            else:
                trial = finetuner.trial(name, weights, seed, self.measured[part], seconds)
        self.cells.write(cell, start, trial)
        return trial

    def _cell(self, part: str, name: str, seed: int, rate: float) -> dict[str, Any]:
        """All that decides a fine-tuning."""
        config, (method, variant) = self.config, split_name(name)
        way = METHODS[method]
        return {
            "dataset": self.pretrained.images.name,
            "train_images": len(self.pretrained.images),
            "part": part,
            "method": name,
            "size": self.size,
            "seed": seed,
            "learning_rate": rate,
            **{option: getattr(config, option) for option in _RECIPE},
            **config.task_recipe(),
            # By name, as all data: the folder may lie elsewhere tomorrow.
            **({} if config.annotated is None else {"annotated": self.learned.name}),
            "adapt_epochs": config.adapt_epochs if way.fitted else None,
            "adapt_batch_size": config.adapt_batch_size if way.fitted else None,
            "pretraining": self.pretrained.recipe(way.needs, self.size, variant),
        }

    def _finetuner(self, rate: float) -> Finetuner:
        if rate not in self.finetuners:
            self.finetuners[rate] = Finetuner(
                self.config,
                self.task,
                self.pretrained.blank(self.size),
                self.classes,
                self.config.task_shape,
                rate,
                self.learned,
                self.followed,
            )
            self.finetuners[rate].warm_up()
        return self.finetuners[rate]

    def _start(self, name: str, seed: int) -> tuple[list[np.ndarray], float]:
        method, variant = split_name(name)
        way = METHODS[method]
        key = name, seed if way.random else 0
        if key not in self.weights:
            began = time.perf_counter()
            vit = way.make(self.pretrained.sources(variant), self.size, seed)
            weights = self.task.weights(vit, self.config.task_shape)
            self.weights[key] = weights, time.perf_counter() - began
        return self.weights[key]


def _climb(rates: Sequence[float], measure: Callable[[float], Trial | None]) -> float | None:
    """The learning rate to test: higher ones are tried while the validation accuracy rises.

    With a single rate there is nothing to choose, and nothing is measured.

    Args:
        rates: In any order.
        measure: Gives the trial of a rate on the validation images, if there is one.

    Returns:
        None if a trial is missing.
    """
    if len(rates) == 1:
        return rates[0]
    best = None
    for rate in sorted(rates):
        trial = measure(rate)
        if trial is None:
            return None
        if best is not None and trial.accuracy <= best.accuracy:
            break
        best = trial
    return best.learning_rate
