"""`sweet quickstart`: the whole road in minutes, against random initialisation."""

import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
from rich.console import Console

from sweet_keras.core.atomic import atomic_write
from sweet_keras.core.template import SweetTemplate
from sweet_keras.data import Source, open_source, pipeline, steps_per_epoch
from sweet_keras.initialization.materialize import materialize, vit_like
from sweet_keras.models.vit_backbone import ViTBackbone
from sweet_keras.runs.accuracy import class_names, measure_accuracy
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.environment import now, write_environment
from sweet_keras.runs.few_labels import few_labels
from sweet_keras.runs.pretrain import autoencoder, describe_pretraining
from sweet_keras.runs.pretrain_config import PretrainConfig
from sweet_keras.runs.progress import steps_bar
from sweet_keras.runs.quickstart_config import QuickstartConfig
from sweet_keras.runs.reconstruction import save_reconstruction
from sweet_keras.runs.results import Results, Spectrum, Task, Trial
from sweet_keras.runs.shared_classifier import SharedClassifier
from sweet_keras.runs.spectrum import backbone_kernels, spectra
from sweet_keras.runs.starting_point import adapt_options
from sweet_keras.runs.training import adamw, session, train

METHODS = ("random", "slice", "adapt")
_CURVE_IMAGES = 512


def quickstart(
    config: QuickstartConfig,
    *,
    overwrite: bool = False,
    arguments: Sequence[str] | None = None,
    console: Console | None = None,
) -> Results:
    """Pre-trains a template, makes networks of several sizes, and fine-tunes them.

    Each size is started at random, by slicing and by adapting, and fine-tuned for the same steps
    on the same labels with the same seeds. The run directory gets `template.sweet`, `model.keras`
    (the last size, adapted, fine-tuned), `results.json` and all that the report shows.

    Args:
        config: The recipe.
        overwrite: Remove the run that lies in `config.out`.
        arguments: The command line, to be noted in the run directory.
        console: Where progress is shown.

    Returns:
        What is in `results.json`.

    Raises:
        ValueError: If an option does not fit the data, or the folder is taken.
    """
    console = console or Console(stderr=True)
    began = time.perf_counter()
    run = RunDirectory(config.out)
    source = open_source(config.data, "train", channels=config.channels)
    test = open_source(config.data, "test", channels=config.channels)
    classes = class_names(source)
    few_labels(source, config.labels)
    run.start(overwrite=overwrite)
    run.write_config(config)
    write_environment(run.environment, "quickstart", arguments)
    with session("float32", seed=0):
        template, pretraining = _pretrain(config, source, run, console)
        trials: list[Trial] = []
        spectrum: list[Spectrum] = []
        total = len(config.sizes) * config.seeds * len(METHODS)
        with steps_bar(console, "fine-tuning", total) as advance:
            for size in config.sizes:
                contest = _Contest(config, template, size, source, test, classes)
                spectrum = contest.spectrum
                for trial in contest.trials(advance):
                    trials.append(trial)
        with atomic_write(run.model) as path:
            contest.classifier.model.save(path)
    results = Results(
        command="quickstart",
        finished=now(),
        task=Task(
            data=config.data,
            classes=classes,
            train_images=len(source),
            train_labels=config.labels,
            test_images=len(test),
        ),
        pretraining=pretraining,
        trials=tuple(trials),
        spectra=tuple(spectrum),
        seconds=time.perf_counter() - began,
    )
    results.save(run.results)
    return results


def _pretrain(config: QuickstartConfig, source: Source, run: RunDirectory, console: Console):
    """Returns the template and what is to be said about it."""
    options = PretrainConfig(
        data=config.data,
        out=config.out,
        image_size=config.image_size,
        channels=config.channels,
        size=config.source_size,
        head_dim=config.head_dim,
        patch_size=config.patch_size,
        ranks=config.ranks,
        width_rate=config.width_rate,
        mask_ratio=config.mask_ratio,
        decoder=config.decoder,
        epochs=config.pretrain_epochs,
        batch_size=config.pretrain_batch_size,
        learning_rate=config.pretrain_learning_rate,
        weight_decay=config.weight_decay,
        warmup=config.warmup,
    )
    steps = steps_per_epoch(source, options.batch_size)
    model = autoencoder(options, steps)
    shape = model.encoder.image_shape

    def batches(start_step: int):
        return pipeline(source, options.batch_size, image_shape=shape, start_step=start_step)

    seconds = train(
        model,
        run,
        batches,
        steps_per_epoch=steps,
        epochs=options.epochs,
        label=f"pre-training {options.size}",
        console=console,
    )
    shutil.rmtree(run.checkpoint.parent)
    template = model.template({"command": "quickstart", "options": config.to_mapping()})
    template.save(run.template)
    save_reconstruction(model, source, shape, run.reconstruction, seed=0)
    return template, describe_pretraining(
        template,
        seconds=seconds,
        steps=steps * options.epochs,
        batch_size=options.batch_size,
        loss=float(model.history.history["loss"][-1]),
    )


class _Contest:
    """All fine-tunings of one size, in one compiled classifier."""

    def __init__(
        self,
        config: QuickstartConfig,
        template: SweetTemplate,
        size: str,
        source: Source,
        test: Source,
        classes: tuple[str, ...],
    ) -> None:
        self.config, self.size = config, size
        self.source, self.test = source, test
        self.template = template.resize(size)
        self.shape = template.image_shape
        self.networks: dict[str, tuple[ViTBackbone, float]] = {}
        self._make("slice", lambda: materialize(template, size))
        options = adapt_options(
            source, self.shape, config.pretrain_batch_size, config.adapt_epochs, seed=0
        )
        self._make("adapt", lambda: materialize(template, size, **options))
        first = self._random(0)
        self.spectrum = [
            part
            for method, vit in (
                ("random", first),
                *((method, vit) for method, (vit, _) in self.networks.items()),
            )
            for part in spectra(backbone_kernels(vit), method, size)
        ]
        optimizer = adamw(
            config.finetune_learning_rate,
            config.finetune_steps,
            config.warmup,
            config.weight_decay,
        )
        self.classifier = SharedClassifier(first, len(classes), optimizer)
        self.curve_test = few_labels(test, min(_CURVE_IMAGES, len(test)))
        # Compiled here, so that no method pays for it in its seconds.
        self.classifier.fit(self._batches(0), steps=1, points=1, measure=self._measure)

    def trials(self, advance: Callable[[str], None]) -> Iterator[Trial]:
        """Fine-tunes every method with every seed."""
        for seed in range(self.config.seeds):
            for method in METHODS:
                trial = self._trial(method, seed)
                advance(f"{self.size} {method} seed {seed}: accuracy {trial.accuracy:.1%}")
                yield trial

    def _make(self, method: str, make: Callable[[], ViTBackbone]) -> None:
        began = time.perf_counter()
        vit = make()
        self.networks[method] = vit, time.perf_counter() - began

    def _random(self, seed: int) -> ViTBackbone:
        random.seed(seed)
        return vit_like(self.template)

    def _batches(self, seed: int):
        """The same labels in the same order for every method."""
        config = self.config
        return pipeline(
            few_labels(self.source, config.labels, seed),
            config.finetune_batch_size,
            image_shape=self.shape,
            labels=True,
            seed=seed,
        )

    def _measure(self, model: keras.Model) -> float:
        return measure_accuracy(model, self.curve_test, self.shape).overall

    def _weights(self, method: str, seed: int) -> tuple[list[np.ndarray], float]:
        if method == "random":
            return self._random(seed).get_weights(), 0.0
        vit, seconds = self.networks[method]
        return vit.get_weights(), seconds

    def _trial(self, method: str, seed: int) -> Trial:
        config = self.config
        weights, initialization_seconds = self._weights(method, seed)
        self.classifier.start(weights, seed)
        curve = self.classifier.fit(
            self._batches(seed), config.finetune_steps, config.curve_points, self._measure
        )
        accuracy = measure_accuracy(self.classifier.model, self.test, self.shape)
        return Trial(
            method=method,
            size=self.size,
            seed=seed,
            accuracy=accuracy.overall,
            steps=config.finetune_steps,
            learning_rate=config.finetune_learning_rate,
            seconds=curve.seconds,
            initialization_seconds=initialization_seconds,
            parameters=self.classifier.model.count_params(),
            curve_steps=tuple(curve.steps),
            curve_loss=tuple(curve.losses),
            curve_accuracy=tuple(curve.accuracies),
            class_accuracy=accuracy.by_class,
        )
