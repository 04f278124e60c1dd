"""`sweet finetune --task generate`: from a template, network or generator to a generator."""

import contextlib
import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from sweet_keras.core.atomic import atomic_write
from sweet_keras.data import open_source, pipeline, steps_per_epoch
from sweet_keras.layers.rematerialize import rematerialize
from sweet_keras.models.image_generator import ImageGenerator
from sweet_keras.runs.accuracy import class_names
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.environment import now
from sweet_keras.runs.few_labels import few_labels
from sweet_keras.runs.finetune_config import FinetuneConfig
from sweet_keras.runs.generator_measures import GeneratorMeasures, MeasureGenerator
from sweet_keras.runs.generator_start import GeneratorStart
from sweet_keras.runs.measurements import Generation, Task
from sweet_keras.runs.on_devices import held, on_devices
from sweet_keras.runs.read_log import read_log
from sweet_keras.runs.results import Results
from sweet_keras.runs.samples import save_samples
from sweet_keras.runs.spectrum import backbone_kernels, spectra
from sweet_keras.runs.training import muon, session, train


def train_generator(
    config: FinetuneConfig,
    *,
    overwrite: bool = False,
    resume: bool = False,
    arguments: Sequence[str] | None = None,
    console: Console | None = None,
) -> Results:
    """Trains a generator, and measures its images if there is a classifier.

    The run directory gets `model.keras`, `samples.npz`, `results.json` and the logs. Arguments,
    result and errors are those of `sweet_keras.runs.finetune.finetune`.
    """
    with on_devices(config, console) as (run, console):
        return _train_generator(config, run, console, overwrite, resume, arguments)


def _train_generator(
    config: FinetuneConfig,
    run: RunDirectory,
    console: Console,
    overwrite: bool,
    resume: bool,
    arguments: Sequence[str] | None,
) -> Results:
    with session(config.dtype, config.seed), contextlib.ExitStack() as stack:
        start = GeneratorStart(config)
        shape = start.image_shape
        source = open_source(config.data, "train", channels=shape[2], on_error=config.on_error)
        classes, learned = class_names(source), source
        if config.labels is not None:
            learned = few_labels(source, config.labels, config.seed)
        batch_size = min(config.batch_size, len(learned))
        steps = steps_per_epoch(learned, batch_size)
        part = config.part_of(batch_size)
        measures = test = None
        if config.classifier is not None:
            test = open_source(config.data, "test", channels=shape[2], on_error=config.on_error)
            measures = GeneratorMeasures(config, test, shape, config.seed, console)
        model, initialization_seconds = start.generator(source, learned, len(classes))
        rematerialize(model, config.remat)
        sampling = _sampling(config, model)
        all_steps = steps * config.epochs
        model.compile(
            optimizer=muon(
                config.peak_rate,
                all_steps,
                config.warmup,
                config.weight_decay,
                average=config.momentum(all_steps),
                accumulate=config.accumulate,
            ),
            jit_compile="auto" if config.jit is None else config.jit,
        )
        size = str(model.backbone.size)
        spectrum = spectra(backbone_kernels(model.backbone), start.method, size)

        batches = functools.partial(
            pipeline,
            learned,
            part,
            image_shape=shape,
            labels=True,
            own_rows=True,
            **config.reading(),
        )
        batches()  # refuses what does not fit before anything is written
        stack.enter_context(held(run))
        run.begin(config, "finetune", overwrite=overwrite, resume=resume, arguments=arguments)
        every = config.measure_every or -(-config.epochs // 5)
        # The last epoch is measured with the weights that are kept.
        between = range(every, config.epochs, every)
        seconds = train(
            model,
            run,
            batches,
            steps_per_epoch=steps * config.accumulate,
            epochs=config.epochs,
            label=f"learning to generate {size} ({start.method})",
            console=console,
            resume=resume,
            saving=config.saving(),
            callbacks=[MeasureGenerator(measures, between)] if measures else [],
        )
        with atomic_write(run.model) as path:
            model.save(path)
        save_samples(model, run.samples, config.seed, **sampling)
        found = {}
        if measures is not None:
            found = dataclasses.asdict(measures(model))
            found |= {"classifier": config.classifier, "accuracy": measures.accuracy}
            found["images"] = config.samples
    log = read_log(run.log)
    curve = [(int(row["epoch"]) * steps, row["frechet"]) for row in log if "frechet" in row]
    if found:
        curve = [point for point in curve if point[0] < all_steps]
        curve.append((all_steps, found["frechet"]))
    seconds -= sum(row.get("measuring", 0.0) for row in log)
    results = Results(
        command="finetune",
        finished=now(),
        task=Task(
            data=config.data,
            classes=classes,
            train_labels=len(learned),
            test_images=0 if test is None else len(test),
        ),
        generation=Generation(
            method=start.method,
            size=size,
            seed=config.seed,
            objective=model.objective,
            steps=all_steps,
            learning_rate=config.peak_rate,
            seconds=seconds,
            initialization_seconds=initialization_seconds,
            parameters=model.count_params(),
            sampler=sampling["sampler"],
            sample_steps=sampling["steps"],
            guidance=sampling["guidance"],
            curve_steps=tuple(step for step, _ in curve),
            curve_frechet=tuple(distance for _, distance in curve),
            **found,
        ),
        spectra=tuple(spectrum),
        seconds=seconds + initialization_seconds,
    )
    results.save(run.results)
    return results


def _sampling(config: FinetuneConfig, model: ImageGenerator) -> dict[str, Any]:
    """Arguments of `generate`, checked before anything is trained."""
    known = model.noise_path.samplers
    expected = f"one of {', '.join(known)} for the objective {model.objective}"
    config.require("sampler", config.sampler in (None, *known), expected)
    return {**config.sampling(), "sampler": config.sampler or next(iter(known))}
