"""`sweet finetune`: from a template or a network to a model for a task."""

import contextlib
import functools
from collections.abc import Sequence

from rich.console import Console

from sweet_keras.backends.own_batches import batch_size_for
from sweet_keras.core.atomic import atomic_write
from sweet_keras.data import Source, holdout, steps_per_epoch
from sweet_keras.distribution.distribute import devices
from sweet_keras.layers.rematerialize import rematerialize
from sweet_keras.runs.choose_task import choose_task
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.environment import now
from sweet_keras.runs.examples import save_examples
from sweet_keras.runs.finetune_config import FinetuneConfig
from sweet_keras.runs.generation import train_generator
from sweet_keras.runs.learning_task import LearningTask
from sweet_keras.runs.measurements import Task, Trial
from sweet_keras.runs.on_devices import held, on_devices
from sweet_keras.runs.progress import batches_bar
from sweet_keras.runs.read_log import read_log
from sweet_keras.runs.results import Results
from sweet_keras.runs.score import METRICS
from sweet_keras.runs.spectrum import backbone_kernels, spectra
from sweet_keras.runs.starting_point import StartingPoint
from sweet_keras.runs.training import adamw, session, train


def split_labels(
    source: Source, config: FinetuneConfig, task: LearningTask
) -> tuple[Source, Source | None]:
    """Returns what is learned from, and what is kept back to follow the progress.

    Both come out of the labels that may be used; nothing else of the source is read.
    """
    usable = source
    if config.labels is not None:
        usable = task.few(source, config.labels, config.seed)
    if config.val_fraction == 0:
        return usable, None
    try:
        return holdout(usable, config.val_fraction, config.seed)
    except ValueError:
        both = f"0, or leave some of the {len(usable)} labels on both sides"
        config.require("val_fraction", False, both)
        raise


def finetune(
    config: FinetuneConfig,
    *,
    overwrite: bool = False,
    resume: bool = False,
    arguments: Sequence[str] | None = None,
    console: Console | None = None,
) -> Results:
    """Trains a network for a task and measures it once on the test images.

    The run directory gets `model.keras`, `results.json` and the logs; of a generator see
    `sweet_keras.runs.generation`.

    Args:
        config: All options.
        overwrite: Remove the run that lies in `config.out`.
        resume: Go on with the run that lies there.
        arguments: The command line, to be noted in the run directory.
        console: Where progress is shown.

    Returns:
        What is in `results.json`.

    Raises:
        ValueError: If an option does not fit the data or the file, or the folder is taken.
    """
    if config.task == "generate":
        return train_generator(
            config, overwrite=overwrite, resume=resume, arguments=arguments, console=console
        )
    with on_devices(config, console) as (run, console):
        return _finetune(config, run, console, overwrite, resume, arguments)


def _finetune(
    config: FinetuneConfig,
    run: RunDirectory,
    console: Console,
    overwrite: bool,
    resume: bool,
    arguments: Sequence[str] | None,
) -> Results:
    task = choose_task(config, config.dropout)
    with session(config.dtype, config.seed), contextlib.ExitStack() as stack:
        start = StartingPoint(config)
        shape = start.image_shape
        source = task.open(config.data, "train", shape[2], config.on_error)
        test = task.open(config.data, "test", shape[2], config.on_error)
        classes = task.classes(source)
        learned, validation = split_labels(source, config, task)
        batch_size = min(config.batch_size, len(learned))
        steps = steps_per_epoch(learned, batch_size)
        part = config.part_of(batch_size)
        backbone, initialization_seconds = start.network(source)
        rematerialize(backbone, config.remat)
        optimizer = adamw(
            config.peak_rate,
            steps * config.epochs,
            config.warmup,
            config.weight_decay,
            accumulate=config.accumulate,
        )
        spectrum = spectra(backbone_kernels(backbone), start.method, str(backbone.size))
        model = task.model(backbone, classes, shape, optimizer, config.jit)

        batches = functools.partial(
            task.batches,
            learned,
            part,
            shape,
            augment=task.augmentation if config.augment else None,
            **config.reading(),
        )
        batches()  # refuses what does not fit before anything is written
        stack.enter_context(held(run))
        run.begin(config, "finetune", overwrite=overwrite, resume=resume, arguments=arguments)
        followed = None
        if validation is not None:
            once = {"shuffle": False, "repeat": False, "drop_remainder": False}
            followed_size = batch_size_for(len(validation), batch_size, devices())
            followed = task.batches(validation, followed_size, shape, **once)
        seconds = train(
            model,
            run,
            batches,
            steps_per_epoch=steps * config.accumulate,
            epochs=config.epochs,
            label=f"fine-tuning {backbone.size} ({start.method})",
            console=console,
            resume=resume,
            saving=config.saving(),
            validation=followed,
            validation_steps=validation
            and steps_per_epoch(validation, followed_size, drop_remainder=False),
        )
        with atomic_write(run.model) as path:
            model.save(path)
        with batches_bar(console, "testing") as show:
            score = task.measure(model, test, shape, progress=show)
        if config.task != "classify":
            save_examples(model, test, shape, run.examples)
    log = read_log(run.log)
    trial = Trial(
        method=start.method,
        size=str(backbone.size),
        seed=config.seed,
        accuracy=score.overall,
        steps=steps * config.epochs,
        learning_rate=config.peak_rate,
        seconds=seconds,
        initialization_seconds=initialization_seconds,
        parameters=model.count_params(),
        curve_steps=tuple(int(row["epoch"]) * steps for row in log),
        curve_loss=tuple(row.get("loss") for row in log),
        curve_accuracy=tuple(row["val_accuracy"] for row in log if "val_accuracy" in row),
        class_accuracy=score.by_class,
        more=score.more,
    )
    results = Results(
        command="finetune",
        finished=now(),
        task=Task(
            data=config.data,
            classes=classes,
            train_labels=len(learned),
            test_images=score.images,
            metric=METRICS[task.name],
        ),
        trials=(trial,),
        spectra=tuple(spectrum),
        seconds=seconds + initialization_seconds,
    )
    results.save(run.results)
    return results
