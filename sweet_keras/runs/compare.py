"""`sweet compare`: ways to start a network, against each other."""

import csv
import dataclasses
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from rich.console import Console

from sweet_keras.core.atomic import atomic_write
from sweet_keras.data import Source, holdout, open_source, pipeline
from sweet_keras.runs.accuracy import class_names, measure_accuracy
from sweet_keras.runs.compare_config import CompareConfig
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.environment import now, write_environment
from sweet_keras.runs.few_labels import few_labels
from sweet_keras.runs.measurements import Task, Trial
from sweet_keras.runs.methods import METHODS
from sweet_keras.runs.pretrained import Pretrained
from sweet_keras.runs.progress import steps_bar
from sweet_keras.runs.results import Results, finite, mapping_of
from sweet_keras.runs.shared_classifier import SharedClassifier
from sweet_keras.runs.training import adamw, session

_CURVE_IMAGES = 1000
_COLUMNS = (
    "dataset,labels,method,size,seed,learning_rate,steps,accuracy,steps_to_random,"
    "pretraining_seconds,initialization_seconds,stored_parameters"
).split(",")


def compare(
    config: CompareConfig,
    *,
    overwrite: bool = False,
    resume: bool = False,
    arguments: Sequence[str] | None = None,
    console: Console | None = None,
) -> Results:
    """Starts networks of several sizes in several ways and fine-tunes them alike.

    The learning rate of each method and size is the one of the grid that is best on the validation
    images with seed 0. Only with that one are the test images looked at, once for each seed. Every
    fine-tuning is kept in a file of its own as soon as it is done, and never repeated.

    Args:
        config: The recipe.
        overwrite: Remove the run that lies in `config.out`.
        resume: Go on with the run that lies there; methods, sizes and seeds may be more than were.
        arguments: The command line, to be noted in the run directory.
        console: Where progress is shown.

    Returns:
        What is in `results.json`. `results.csv` has a row for each fine-tuning that was tested.

    Raises:
        ValueError: If an option does not fit the data, or the folder is taken.
    """
    console = console or Console(stderr=True)
    began = time.perf_counter()
    run = RunDirectory(config.out)
    images = open_source(config.data, "train", channels=config.channels)
    test = open_source(config.data, "test", channels=config.channels)
    classes = class_names(images)
    learned, validation = holdout(images, config.validation)
    few_labels(learned, config.labels)  # refuses too many before anything is written
    run.start(overwrite=overwrite, resume=resume)
    run.write_config(config)
    write_environment(run.environment, "compare", arguments)
    run.cells.mkdir(exist_ok=True)
    trials: list[Trial] = []
    with session("float32", seed=0):
        pretrained = Pretrained(config, images, run, console)
        _pretrain_all(config, pretrained)
        total = len(config.sizes) * len(config.methods)
        total *= len(config.learning_rates) + config.seeds
        with steps_bar(console, "fine-tuning", total) as advance:
            for size in config.sizes:
                contest = _Contest(
                    config, run, pretrained, size, len(classes), learned, validation, test
                )
                for method in config.methods:
                    rate = contest.tune(method, advance)
                    trials += contest.test(method, rate, advance)
        _write_table(run, config, trials, pretrained)
    results = Results(
        command="compare",
        finished=now(),
        task=Task(
            data=config.data,
            classes=classes,
            train_images=len(images),
            train_labels=config.labels,
            test_images=len(test),
        ),
        trials=tuple(trials),
        seconds=time.perf_counter() - began,
    )
    results.save(run.results)
    return results


def _pretrain_all(config: CompareConfig, pretrained: Pretrained) -> None:
    """Trains what is not there yet, before any fine-tuning."""
    sources = pretrained.sources()
    for needs in {METHODS[method].needs for method in config.methods}:
        if needs == "template":
            sources.template()
        elif needs == "plain":
            sources.plain()
        elif needs == "direct":
            for size in config.sizes:
                sources.direct(size)


class _Contest:
    """All fine-tunings of one size; one compiled classifier for each learning rate."""

    def __init__(
        self,
        config: CompareConfig,
        run: RunDirectory,
        pretrained: Pretrained,
        size: str,
        classes: int,
        learned: Source,
        validation: Source,
        test: Source,
    ) -> None:
        """Compiles nothing yet."""
        self.config, self.run, self.pretrained = config, run, pretrained
        self.size, self.classes, self.learned = size, classes, learned
        self.measured = {"validation": validation, "test": test}
        self.followed = few_labels(validation, min(_CURVE_IMAGES, len(validation)))
        self.classifiers: dict[float, SharedClassifier] = {}
        self.weights: dict[tuple[str, int], tuple[list[np.ndarray], float]] = {}

    def tune(self, method: str, advance: Callable[[str], None]) -> float:
        """The learning rate that is best on the validation images."""
        accuracies = {}
        for rate in self.config.learning_rates:
            trial = self._cell("validation", method, 0, rate)
            accuracies[rate] = trial.accuracy
            advance(f"{self.size} {method} at {rate:g}: validation {trial.accuracy:.1%}")
        return max(accuracies, key=accuracies.__getitem__)

    def test(self, method: str, rate: float, advance: Callable[[str], None]) -> Iterator[Trial]:
        """One trial for each seed, measured on the test images."""
        for seed in range(self.config.seeds):
            trial = self._cell("test", method, seed, rate)
            advance(f"{self.size} {method} seed {seed}: accuracy {trial.accuracy:.1%}")
            yield trial

    def _cell(self, part: str, method: str, seed: int, rate: float) -> Trial:
        path = self.run.cells / f"{self.size}-{method}-{rate:g}-{seed}-{part}.json"
        if path.exists():
            return Trial(**mapping_of(Trial, json.loads(path.read_text(encoding="utf-8"))))
        config, shape = self.config, self.pretrained.image_shape
        classifier = self._classifier(rate)
        weights, initialization_seconds = self._start(method, seed)
        classifier.start(weights, seed)
        curve = classifier.fit(
            pipeline(
                few_labels(self.learned, config.labels, seed),
                config.finetune_batch_size,
                image_shape=shape,
                augment="classify" if config.augment else None,
                labels=True,
                seed=seed,
            ),
            config.finetune_steps,
            config.curve_points,
            lambda model: measure_accuracy(model, self.followed, shape).overall,
        )
        accuracy = measure_accuracy(classifier.model, self.measured[part], shape)
        trial = Trial(
            method=method,
            size=self.size,
            seed=seed,
            accuracy=accuracy.overall,
            steps=config.finetune_steps,
            learning_rate=rate,
            seconds=curve.seconds,
            initialization_seconds=initialization_seconds,
            parameters=classifier.model.count_params(),
            curve_steps=tuple(curve.steps),
            curve_loss=tuple(curve.losses),
            curve_accuracy=tuple(curve.accuracies),
            class_accuracy=accuracy.by_class,
        )
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(finite(dataclasses.asdict(trial))), encoding="utf-8")
        return trial

    def _classifier(self, rate: float) -> SharedClassifier:
        if rate not in self.classifiers:
            config = self.config
            optimizer = adamw(rate, config.finetune_steps, config.warmup, config.weight_decay)
            network = self.pretrained.blank(self.size)
            self.classifiers[rate] = SharedClassifier(network, self.classes, optimizer)
        return self.classifiers[rate]

    def _start(self, method: str, seed: int) -> tuple[list[np.ndarray], float]:
        way = METHODS[method]
        key = method, seed if way.random else 0
        if key not in self.weights:
            began = time.perf_counter()
            vit = way.make(self.pretrained.sources(), self.size, seed)
            self.weights[key] = vit.get_weights(), time.perf_counter() - began
        return self.weights[key]


def steps_to(target: float, trial: Trial) -> int | None:
    """The first measured step at which a trial is as accurate as `target`, on validation images."""
    for step, accuracy in zip(trial.curve_steps, trial.curve_accuracy, strict=True):
        if accuracy >= target:
            return step
    return None


def _write_table(
    run: RunDirectory, config: CompareConfig, trials: Sequence[Trial], pretrained: Pretrained
) -> None:
    final = {
        size: statistics.fmean(
            [t.curve_accuracy[-1] for t in trials if t.size == size and t.method in ("random", "xavier")] or [2]
        )
        for size in config.sizes
    }
    with atomic_write(run.table) as path, path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        for trial in trials:
            seconds, stored = pretrained.cost(METHODS[trial.method].needs, trial.size)
            writer.writerow(
                {
                    "dataset": pretrained.images.name,
                    "labels": config.labels,
                    "method": trial.method,
                    "size": trial.size,
                    "seed": trial.seed,
                    "learning_rate": f"{trial.learning_rate:g}",
                    "steps": trial.steps,
                    "accuracy": f"{trial.accuracy:.4f}",
                    "steps_to_random": steps_to(final[trial.size], trial),
                    "pretraining_seconds": f"{seconds:.1f}",
                    "initialization_seconds": f"{trial.initialization_seconds:.3f}",
                    "stored_parameters": stored,
                }
            )
