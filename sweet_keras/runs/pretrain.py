"""`sweet pretrain`: from images to a template."""

import contextlib
import functools
from collections.abc import Sequence

from rich.console import Console

from sweet_keras.core.atomic import atomic_write
from sweet_keras.core.template import SweetTemplate
from sweet_keras.data import open_source, pipeline, steps_per_epoch
from sweet_keras.initialization.materialize_generator import materialize_generator
from sweet_keras.layers.rematerialize import rematerialize
from sweet_keras.runs.accuracy import class_names
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.environment import now
from sweet_keras.runs.measurements import Pretraining, Task
from sweet_keras.runs.on_devices import held, on_devices
from sweet_keras.runs.pretrain_config import PretrainConfig
from sweet_keras.runs.pretrain_models import autoencoder, generator, late_subnetworks
from sweet_keras.runs.read_log import read_log
from sweet_keras.runs.reconstruction import save_reconstruction
from sweet_keras.runs.results import Results
from sweet_keras.runs.samples import save_samples
from sweet_keras.runs.spectrum import kernels_by_kind, spectra
from sweet_keras.runs.template_numbers import dense_parameters
from sweet_keras.runs.training import session, train


def pretrain(
    config: PretrainConfig,
    *,
    overwrite: bool = False,
    resume: bool = False,
    arguments: Sequence[str] | None = None,
    console: Console | None = None,
) -> Results:
    """Trains a masked autoencoder, or a generator, and keeps its template.

    The run directory gets `template.sweet`, `reconstruction.npz`, `results.json` and the logs; of a
    generator `model.keras` and `samples.npz` instead of the reconstruction.

    Args:
        config: All options.
        overwrite: Remove the run that lies in `config.out`.
        resume: Go on with the run that lies there.
        arguments: The command line, to be noted in the run directory.
        console: Where progress is shown.

    Returns:
        What is in `results.json`.

    Raises:
        ValueError: If an option does not fit the data, or the folder is taken.
    """
    with on_devices(config, console) as (run, console):
        return _pretrain(config, run, console, overwrite, resume, arguments)


def _pretrain(
    config: PretrainConfig,
    run: RunDirectory,
    console: Console,
    overwrite: bool,
    resume: bool,
    arguments: Sequence[str] | None,
) -> Results:
    source = open_source(config.data, "train", channels=config.channels, on_error=config.on_error)
    generates = config.task == "generate"
    classes = class_names(source) if generates else ()
    with session(config.dtype, config.seed), contextlib.ExitStack() as stack:
        batch_size = min(config.batch_size, len(source))
        steps = steps_per_epoch(source, batch_size)
        part = config.part_of(batch_size)
        if generates:
            model = generator(config, steps, len(classes))
            backbone = model.backbone
        else:
            model = autoencoder(config, steps)
            backbone = model.encoder
        rematerialize(model, config.remat)
        image_shape = backbone.image_shape

        batches = functools.partial(
            pipeline,
            source,
            part,
            image_shape=image_shape,
            # A crop would be learned, and then be generated.
            augment=None if generates else "mae",
            labels=generates,
            own_rows=True,
            **config.reading(),
        )
        batches()  # refuses what does not fit before anything is written
        stack.enter_context(held(run))
        run.begin(config, "pretrain", overwrite=overwrite, resume=resume, arguments=arguments)
        seconds = train(
            model,
            run,
            batches,
            steps_per_epoch=steps * config.accumulate,
            epochs=config.epochs,
            label=f"pre-training {config.size}",
            console=console,
            resume=resume,
            saving=config.saving(),
            callbacks=late_subnetworks(backbone, config),
        )
        record = {
            "data": config.data,
            "images": len(source),
            "epochs": config.epochs,
            "batch_size": batch_size,
            "seconds": round(seconds, 1),
            "finished": now(),
            "options": config.to_mapping(),
        }
        template = model.template(record)
        template.save(run.template)
        if generates:
            with atomic_write(run.model) as path:
                model.save(path)
            save_samples(materialize_generator(model), run.samples, config.seed)
        else:
            save_reconstruction(model, source, image_shape, run.reconstruction, config.seed)
    log = read_log(run.log)
    results = Results(
        command="pretrain",
        finished=now(),
        task=Task(
            data=config.data,
            classes=classes,
            train_images=len(source),
            train_labels=len(source) if generates else 0,
        ),
        pretraining=describe_pretraining(
            template,
            seconds=seconds,
            steps=steps * config.epochs,
            batch_size=batch_size,
            loss=log[-1].get("loss") if log else None,
            objective=model.objective if generates else "reconstruct",
        ),
        spectra=tuple(spectra(kernels_by_kind(template.kernels()), "template", config.size)),
        seconds=seconds,
    )
    results.save(run.results)
    return results


def describe_pretraining(
    template: SweetTemplate,
    *,
    seconds: float,
    steps: int,
    batch_size: int,
    loss: float | None,
    objective: str = "reconstruct",
) -> Pretraining:
    """Returns what is to be said about a template in `results.json`."""
    return Pretraining(
        size=str(template.size),
        head_dim=template.size.head_dim,
        ranks=template.ranks,
        seconds=seconds,
        steps=steps,
        batch_size=batch_size,
        loss=loss,
        template_parameters=template.parameters,
        dense_parameters=dense_parameters(template),
        objective=objective,
    )
