"""`sweet quickstart`: the whole road in minutes, against random initialisation."""

import shutil
import time
from collections.abc import Sequence

from rich.console import Console

from sweet_keras.core.atomic import atomic_write
from sweet_keras.data import Source, open_source, pipeline, steps_per_epoch
from sweet_keras.runs.accuracy import class_names
from sweet_keras.runs.contest import METHODS, Contest
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.environment import now
from sweet_keras.runs.few_labels import few_labels
from sweet_keras.runs.measurements import Spectrum, Task, Trial
from sweet_keras.runs.pretrain import describe_pretraining
from sweet_keras.runs.pretrain_models import autoencoder, late_subnetworks
from sweet_keras.runs.progress import steps_bar
from sweet_keras.runs.quickstart_config import QuickstartConfig
from sweet_keras.runs.reconstruction import save_reconstruction
from sweet_keras.runs.results import Results
from sweet_keras.runs.training import session, train


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
    with session("float32", seed=0), run.held():
        run.begin(config, "quickstart", overwrite=overwrite, arguments=arguments)
        template, pretraining = _pretrain(config, source, run, console)
        trials: list[Trial] = []
        spectrum: list[Spectrum] = []
        total = len(config.sizes) * config.seeds * len(METHODS)
        with steps_bar(console, "fine-tuning", total) as advance:
            for size in config.sizes:
                contest = Contest(config, template, size, source, test, classes)
                spectrum = contest.spectrum
                for trial in contest.trials(advance):
                    trials.append(trial)
        with atomic_write(run.model) as path:
            contest.model.save(path)
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
    options = config.pretraining(config.out, config.source_size)
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
        callbacks=late_subnetworks(model.encoder, options),
    )
    shutil.rmtree(run.checkpoints)
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
