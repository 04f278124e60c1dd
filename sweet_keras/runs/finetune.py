"""`sweet finetune`: from a template or a network to a classifier."""

from collections.abc import Sequence

from rich.console import Console

from sweet_keras.core.atomic import atomic_write
from sweet_keras.data import Source, holdout, open_source, pipeline, steps_per_epoch
from sweet_keras.models.image_classifier import ImageClassifier
from sweet_keras.runs.accuracy import class_names, measure_accuracy
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.environment import now, write_environment
from sweet_keras.runs.few_labels import few_labels
from sweet_keras.runs.finetune_config import FinetuneConfig
from sweet_keras.runs.measurements import Task, Trial
from sweet_keras.runs.read_log import read_log
from sweet_keras.runs.results import Results
from sweet_keras.runs.spectrum import backbone_kernels, spectra
from sweet_keras.runs.starting_point import StartingPoint
from sweet_keras.runs.training import adamw, session, train


def split_labels(source: Source, config: FinetuneConfig) -> tuple[Source, Source | None]:
    """Returns what is learned from, and what is kept back to follow the progress.

    Both come out of the labels that may be used; nothing else of the source is read.
    """
    usable = source
    if config.labels is not None:
        usable = few_labels(source, config.labels, config.seed)
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
    """Trains a classifier and measures it once on the test images.

    The run directory gets `model.keras`, `results.json` and the logs.

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
    console = console or Console(stderr=True)
    run = RunDirectory(config.out)
    with session(config.dtype, config.seed):
        start = StartingPoint(config)
        shape = start.image_shape
        options = {"channels": shape[2], "on_error": config.on_error}
        source = open_source(config.data, "train", **options)
        test = open_source(config.data, "test", **options)
        classes = class_names(source)
        learned, validation = split_labels(source, config)
        batch_size = min(config.batch_size, len(learned))
        steps = steps_per_epoch(learned, batch_size)
        backbone, initialization_seconds = start.network(source)
        model = ImageClassifier(backbone, len(classes), dropout=config.dropout, class_names=classes)
        model.compile(
            optimizer=adamw(
                config.learning_rate, steps * config.epochs, config.warmup, config.weight_decay
            ),
            jit_compile="auto" if config.jit is None else config.jit,
        )
        spectrum = spectra(backbone_kernels(backbone), start.method, str(backbone.size))

        def batches(start_step: int):
            return pipeline(
                learned,
                batch_size,
                image_shape=shape,
                augment="classify" if config.augment else None,
                labels=True,
                seed=config.seed,
                start_step=start_step,
                workers=config.workers,
            )

        batches(0)  # refuses what does not fit before anything is written
        run.start(overwrite=overwrite, resume=resume)
        run.write_config(config)
        write_environment(run.environment, "finetune", arguments)
        held = None
        if validation is not None:
            held = pipeline(
                validation,
                batch_size,
                image_shape=shape,
                labels=True,
                shuffle=False,
                repeat=False,
                drop_remainder=False,
            )
        seconds = train(
            model,
            run,
            batches,
            steps_per_epoch=steps,
            epochs=config.epochs,
            label=f"fine-tuning {backbone.size} ({start.method})",
            console=console,
            resume=resume,
            validation=held,
            validation_steps=validation
            and steps_per_epoch(validation, batch_size, drop_remainder=False),
        )
        accuracy = measure_accuracy(model, test, shape)
        with atomic_write(run.model) as path:
            model.save(path)
    log = read_log(run.log)
    trial = Trial(
        method=start.method,
        size=str(backbone.size),
        seed=config.seed,
        accuracy=accuracy.overall,
        steps=steps * config.epochs,
        learning_rate=config.learning_rate,
        seconds=seconds,
        initialization_seconds=initialization_seconds,
        parameters=model.count_params(),
        curve_steps=tuple(int(row["epoch"]) * steps for row in log),
        curve_loss=tuple(row.get("loss") for row in log),
        curve_accuracy=tuple(row["val_accuracy"] for row in log) if validation else (),
        class_accuracy=accuracy.by_class,
    )
    results = Results(
        command="finetune",
        finished=now(),
        task=Task(
            data=config.data,
            classes=classes,
            train_labels=len(learned),
            test_images=accuracy.images,
        ),
        trials=(trial,),
        spectra=tuple(spectrum),
        seconds=seconds + initialization_seconds,
    )
    results.save(run.results)
    return results
