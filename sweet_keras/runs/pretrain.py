"""`sweet pretrain`: from images to a template."""

import contextlib
from collections.abc import Sequence

import keras
from rich.console import Console

from sweet_keras.core.template import SweetTemplate
from sweet_keras.data import open_source, pipeline, steps_per_epoch
from sweet_keras.layers.sweet_template_vit import SweetTemplateViT
from sweet_keras.models.image_classifier import ImageClassifier
from sweet_keras.models.late_subnetworks import LateSubnetworks
from sweet_keras.models.masked_autoencoder import MaskedAutoencoder
from sweet_keras.models.vit_backbone import ViTBackbone
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.environment import now, write_environment
from sweet_keras.runs.geometry import parse_image_size, parse_ranks, parse_subnetworks
from sweet_keras.runs.measurements import Pretraining, Task
from sweet_keras.runs.pretrain_config import PretrainConfig
from sweet_keras.runs.read_log import read_log
from sweet_keras.runs.reconstruction import save_reconstruction
from sweet_keras.runs.results import Results
from sweet_keras.runs.spectrum import kernels_by_kind, spectra
from sweet_keras.runs.template_numbers import dense_parameters
from sweet_keras.runs.training import adamw, muon, session, train


def pretrain(
    config: PretrainConfig,
    *,
    overwrite: bool = False,
    resume: bool = False,
    arguments: Sequence[str] | None = None,
    console: Console | None = None,
) -> Results:
    """Trains a masked autoencoder and keeps its template.

    The run directory gets `template.sweet`, `reconstruction.npz`, `results.json` and the logs.

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
    console = console or Console(stderr=True)
    run = RunDirectory(config.out)
    source = open_source(config.data, "train", channels=config.channels, on_error=config.on_error)
    with session(config.dtype, config.seed), contextlib.ExitStack() as stack:
        batch_size = min(config.batch_size, len(source))
        steps = steps_per_epoch(source, batch_size)
        model = autoencoder(config, steps)
        image_shape = model.encoder.image_shape

        def batches(start_step: int):
            return pipeline(
                source,
                batch_size,
                image_shape=image_shape,
                augment="mae",
                seed=config.seed,
                start_step=start_step,
                workers=config.workers,
            )

        batches(0)  # refuses what does not fit before anything is written
        stack.enter_context(run.held())
        run.start(overwrite=overwrite, resume=resume)
        run.write_config(config)
        write_environment(run.environment, "pretrain", arguments)
        seconds = train(
            model,
            run,
            batches,
            steps_per_epoch=steps,
            epochs=config.epochs,
            label=f"pre-training {config.size}",
            console=console,
            resume=resume,
            saving=config.saving(),
            callbacks=late_subnetworks(model.encoder, config),
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
        save_reconstruction(model, source, image_shape, run.reconstruction, config.seed)
    log = read_log(run.log)
    results = Results(
        command="pretrain",
        finished=now(),
        task=Task(data=config.data, train_images=len(source)),
        pretraining=describe_pretraining(
            template,
            seconds=seconds,
            steps=steps * config.epochs,
            batch_size=batch_size,
            loss=log[-1].get("loss") if log else None,
        ),
        spectra=tuple(spectra(kernels_by_kind(template.kernels()), "template", config.size)),
        seconds=seconds,
    )
    results.save(run.results)
    return results


def describe_pretraining(
    template: SweetTemplate, *, seconds: float, steps: int, batch_size: int, loss: float | None
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
    )


def autoencoder(
    config: PretrainConfig, steps: int, encoder: ViTBackbone | None = None
) -> MaskedAutoencoder:
    """Returns the model, built and compiled.

    Args:
        config: The options.
        steps: Training steps in one epoch.
        encoder: A plain network to train instead of a template.
    """
    model = MaskedAutoencoder(
        encoder or _template_vit(config, visible=1 - config.mask_ratio),
        mask_ratio=config.mask_ratio,
        decoder=config.decoder,
        seed=config.seed,
    )
    model.build()
    _compile(model, config, steps)
    return model


def late_subnetworks(encoder: keras.layers.Layer, config: PretrainConfig) -> list[LateSubnetworks]:
    """Returns the callback by which a template's sub-networks join; none where there are none."""
    if not isinstance(encoder, SweetTemplateViT) or not encoder.subnetwork_rate:
        return []
    return [LateSubnetworks(encoder, config.subnetwork_start)]


def supervised(config: PretrainConfig, steps: int, classes: int) -> ImageClassifier:
    """Returns a template's network as a classifier, built and compiled like the autoencoder.

    Args:
        config: The options; those of mask and decoder are not used.
        steps: Training steps in one epoch.
        classes: Number of classes.
    """
    model = ImageClassifier(_template_vit(config, visible=1.0), classes)
    _compile(model, config, steps)
    return model


def _compile(model: keras.Model, config: PretrainConfig, steps: int) -> None:
    options = config.learning_rate, steps * config.epochs, config.warmup, config.weight_decay
    model.compile(
        # beta_2 as in 2111.06377
        optimizer=muon(*options) if config.optimizer == "muon" else adamw(*options, beta_2=0.95),
        jit_compile="auto" if config.jit is None else config.jit,
    )


def _template_vit(config: PretrainConfig, visible: float) -> SweetTemplateViT:
    image_shape = (*parse_image_size(config.image_size), config.channels)
    tokens = (
        config.batch_size
        * (image_shape[0] // config.patch_size)
        * (image_shape[1] // config.patch_size)
    )
    return SweetTemplateViT(
        config.size,
        image_shape=image_shape,
        patch_size=config.patch_size,
        head_dim=config.head_dim,
        ranks=parse_ranks(config.ranks),
        subnetworks=parse_subnetworks(config.subnetworks),
        subnetwork_rate=config.subnetwork_rate,
        class_token=config.class_token,
        positions=config.positions,
        pixel_mean=config.pixel_mean,
        pixel_std=config.pixel_std,
        tokens=round(tokens * visible),
        seed=config.seed,
    )
