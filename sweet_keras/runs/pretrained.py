"""The pre-trained sources of a comparison, each trained once and kept."""

import dataclasses
import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
from rich.console import Console

from sweet_keras.core.atomic import atomic_write
from sweet_keras.core.size import ViTSize, common_width, smallest_size
from sweet_keras.core.template import SweetTemplate
from sweet_keras.data import Source, pipeline, steps_per_epoch
from sweet_keras.initialization.tleg import linear_vit
from sweet_keras.initialization.wave import kronecker_vit
from sweet_keras.models.generated_vit import GeneratedViT
from sweet_keras.models.image_classifier import ImageClassifier
from sweet_keras.models.masked_autoencoder import MaskedAutoencoder
from sweet_keras.models.vit_backbone import ViTBackbone
from sweet_keras.runs.accuracy import class_names
from sweet_keras.runs.cells import refuse_other
from sweet_keras.runs.claims import claim
from sweet_keras.runs.compare_config import CompareConfig
from sweet_keras.runs.decomposed import decomposed
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.geometry import parse_image_size
from sweet_keras.runs.methods import Sources
from sweet_keras.runs.pretrain_config import PretrainConfig
from sweet_keras.runs.pretrain_models import autoencoder, late_subnetworks, supervised
from sweet_keras.runs.starting_point import adapt_options, load_network
from sweet_keras.runs.training import train
from sweet_keras.runs.variants import VARIANTS

_RECIPE = "recipe.json"
# Options of a pre-training that decide nothing, or nothing here since no source learns to generate,
# and those that only a template has.
_ELSEWHERE = (
    "data",
    "out",
    "workers",
    "on_error",
    "task",
    "objective",
    "label_dropout",
    "checkpoint_minutes",
    "checkpoint_steps",
    "keep",
    "skip_limit",
    "devices",
    "accumulate",
    "remat",
    "learning_rate_scaling",
)
_AUTOENCODERS = ("tleg", "wave", "small")
_OF_TEMPLATES = ("ranks", "subnetworks", "subnetwork_rate", "subnetwork_start")


class Pretrained:
    """Trains a template, or plain networks, on the same images, steps and batches.

    A source lies in a folder of its own; an interrupted one goes on from its last epoch. Processes
    that share the folder train each source once: see `prepare`.

    Args:
        config: The recipe.
        images: What is learned from, without labels.
        labelled: Those of them whose labels a supervised variant may use.
        run: The comparison's folder.
        console: Where progress is shown.
    """

    def __init__(
        self,
        config: CompareConfig,
        images: Source,
        labelled: Source,
        run: RunDirectory,
        console: Console,
    ) -> None:
        """Keeps the arguments; trains nothing."""
        self.config, self.images, self.labelled, self.console = config, images, labelled, console
        self.folder = run.sources if config.sources is None else Path(config.sources)
        # Read from the disk once, however many networks are started from them.
        self.network = functools.cache(self._network)
        self.template = functools.cache(self._template)
        self.autoencoder = functools.cache(self._autoencoder)
        self.image_shape = (*parse_image_size(config.image_size), config.channels)

    def sources(self, variant: str | None = None) -> Sources:
        """What `sweet_keras.runs.methods` starts networks from.

        Args:
            variant: Of the template, see `sweet_keras.runs.variants`.
        """
        config = self.config
        labels = variant is not None and VARIANTS[variant].supervised
        return Sources(
            blank=self.blank,
            plain=lambda: self.network(config.source_size),
            direct=self.network,
            template=lambda: self.template(variant),
            autoencoder=lambda needs: self.autoencoder(self.name(needs, "")),
            adapt_options=lambda: adapt_options(
                self.labelled if labels else self.images,
                self.image_shape,
                config.adapt_batch_size,
                config.adapt_epochs,
                seed=0,
                classes=len(class_names(self.images)) if labels else None,
            ),
        )

    def name(self, needs: str, size: str, variant: str | None = None) -> str | None:
        """The folder of what a method needs at a size; None if it needs nothing."""
        if needs == "nothing":
            return None
        if needs == "template" and (variant is None or VARIANTS[variant].decomposition is None):
            return "template" if variant is None else f"template-{variant}"
        if needs == "tleg":
            return needs
        source, *sizes = (
            ViTSize.parse(text, self.config.head_dim)
            for text in (self.config.source_size, *self.config.sizes)
        )
        if needs == "wave":
            return f"wave-{common_width([source, *sizes])}"  # the largest side that fits every size
        # A decomposed template is made of the plain network.
        trained = {"direct": size, "small": smallest_size(sizes)}
        return f"plain-{trained.get(needs, source)}"

    def prepare(self, needs: str, size: str, variant: str | None = None) -> bool:
        """Trains what a method needs at a size, if it is not there.

        Returns:
            Whether it is there now: not if another process is training it.
        """
        name = self.name(needs, size, variant)
        if name is None:
            return True
        source = self._source(name)
        only_trained = needs in _AUTOENCODERS  # read from the state that their training ended with
        if (source.results if only_trained else source.model).exists() or source.template.exists():
            return True
        with claim(self.folder / f"{name}.lock") as granted:
            if granted and needs == "template":
                self.template(variant)
            elif granted and only_trained:
                self.autoencoder(name)
            elif granted:
                self.network(size if needs == "direct" else self.config.source_size)
        return granted

    def blank(self, size: str) -> ViTBackbone:
        """A random network."""
        config = self.config
        return ViTBackbone(
            size,
            image_shape=self.image_shape,
            patch_size=config.patch_size,
            head_dim=config.head_dim,
            pixel_mean=config.pixel_mean,
            pixel_std=config.pixel_std,
        )

    def _network(self, size: str) -> ViTBackbone:
        """The plain network pre-trained at a size; trained now if it is not there."""
        source = self._source(f"plain-{size}")
        if not source.model.exists():
            encoder = self._train(source, self.blank(size)).encoder
            with atomic_write(source.model) as path:
                encoder.save(path)
        return load_network(str(source.model))

    def _template(self, variant: str | None = None) -> SweetTemplate:
        """The template; trained now if it is not there, or made of the plain network."""
        source = self._source(self.name("template", "", variant))
        if source.path.name.startswith("plain"):
            self.network(self.config.source_size)
            return decomposed(
                VARIANTS[variant],
                self.autoencoder(source.path.name),
                self.images,
                lambda size: self._batches(size, labels=False)(0),
                self.config.adapt_epochs,
            )
        if not source.template.exists():
            model = self._train(source)
            classifier = isinstance(model, ImageClassifier)
            (model.backbone if classifier else model).template().save(source.template)
        return SweetTemplate.load(source.template)

    def _autoencoder(self, name: str) -> MaskedAutoencoder:
        """A source with its decoder; trained now as far as it is not."""
        kind, _, rest = name.partition("-")
        encoder = self.blank(self._options(name)[0].size)
        if kind == "tleg":
            encoder = linear_vit(encoder)
        elif kind == "wave":
            encoder = kronecker_vit(encoder, side=int(rest))
        return self._train(self._source(name), encoder)

    def cost(self, needs: str, size: str, variant: str | None = None) -> tuple[float, int]:
        """Seconds of pre-training and numbers stored that a method draws on at a size."""
        name = self.name(needs, size, variant)
        if name is None:
            return 0.0, 0
        results = RunDirectory(self.folder / name).results
        seconds = json.loads(results.read_text(encoding="utf-8"))["seconds"]
        if needs == "template":
            return seconds, self.template(variant).parameters
        if needs in _AUTOENCODERS:
            encoder = self.autoencoder(name).encoder
            generated = isinstance(encoder, GeneratedViT)
            return seconds, encoder.parameters if generated else encoder.count_params()
        trained = size if needs == "direct" else self.config.source_size
        return seconds, self.network(trained).count_params()

    def recipe(self, needs: str, size: str, variant: str | None = None) -> dict[str, Any] | None:
        """All that decides what a method needs at a size; None if it needs nothing."""
        name = self.name(needs, size, variant)
        if name is None:
            return None
        return self._recipe(name)

    def _recipe(self, name: str) -> dict[str, Any]:
        options, labels = self._options(name)
        recipe = {
            "dataset": self.images.name,
            "images": len(self.images),
            "labelled_images": len(self.labelled) if labels else 0,
            **options.to_mapping(),
        }
        kind, _, rest = name.partition("-")
        for option in _ELSEWHERE if kind == "template" else _ELSEWHERE + _OF_TEMPLATES:
            del recipe[option]
        return {**recipe, "side": int(rest)} if kind == "wave" else recipe

    def _options(self, name: str) -> tuple[PretrainConfig, bool]:
        """The options of a source's pre-training, and whether it is supervised."""
        kind, _, rest = name.partition("-")
        size = rest if kind == "plain" else self.config.source_size
        options = self.config.pretraining(str(self.folder / name), size)
        options = dataclasses.replace(options, batch_size=min(options.batch_size, len(self.images)))
        if kind != "template" or not rest:
            return options, False
        return VARIANTS[rest].apply(options), VARIANTS[rest].supervised

    def _source(self, name: str) -> RunDirectory:
        """The folder of a source, in which its recipe is written down.

        Raises:
            ValueError: If a source by another recipe lies there.
        """
        recipe = self._recipe(name)
        source = RunDirectory(self.folder / name)
        path = source.path / _RECIPE
        if path.exists():
            refuse_other(path, recipe, json.loads(path.read_text(encoding="utf-8")))
        else:
            source.path.mkdir(parents=True, exist_ok=True)
            with atomic_write(path) as temporary:
                temporary.write_text(json.dumps(recipe, indent=1) + "\n", encoding="utf-8")
        return source

    def _train(
        self, source: RunDirectory, encoder: ViTBackbone | GeneratedViT | None = None
    ) -> keras.Model:
        options, labels = self._options(source.path.name)
        steps = steps_per_epoch(self.images, options.batch_size)
        if labels:
            model = supervised(options, steps, len(class_names(self.images)))
        else:
            model = autoencoder(options, steps, encoder)
        seconds = train(
            model,
            source,
            self._batches(options.batch_size, labels),
            steps_per_epoch=steps,
            epochs=options.epochs,
            label=f"pre-training {source.path.name}",
            console=self.console,
            resume=True,
            callbacks=late_subnetworks(model.backbone if labels else model.encoder, options),
        )
        if not source.results.exists():
            with atomic_write(source.results) as path:
                path.write_text(json.dumps({"seconds": seconds, "steps": steps * options.epochs}))
        return model

    def _batches(self, batch_size: int, labels: bool) -> Callable[[int], object]:
        def batches(start_step: int):
            return pipeline(
                self.labelled if labels else self.images,
                batch_size,
                image_shape=self.image_shape,
                augment="mae",
                labels=labels,
                start_step=start_step,
            )

        return batches
