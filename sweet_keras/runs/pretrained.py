"""The pre-trained sources of a comparison, each trained once and kept."""

import functools
import json
from collections.abc import Callable

import keras
from rich.console import Console

from sweet_keras.core.atomic import atomic_write
from sweet_keras.core.template import SweetTemplate
from sweet_keras.data import Source, pipeline, steps_per_epoch
from sweet_keras.models.vit_backbone import ViTBackbone
from sweet_keras.runs.compare_config import CompareConfig
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.geometry import parse_image_size
from sweet_keras.runs.methods import Sources
from sweet_keras.runs.pretrain import autoencoder
from sweet_keras.runs.pretrain_config import PretrainConfig
from sweet_keras.runs.starting_point import adapt_options, load_network
from sweet_keras.runs.training import train


class Pretrained:
    """Trains a template, or plain networks, on the same images, steps and batches.

    A source lies in a folder of its own; an interrupted one goes on from its last epoch.

    Args:
        config: The recipe.
        images: What is learned from, without labels.
        run: The comparison's folder.
        console: Where progress is shown.
    """

    def __init__(
        self, config: CompareConfig, images: Source, run: RunDirectory, console: Console
    ) -> None:
        """Keeps the arguments; trains nothing."""
        self.config, self.images, self.run, self.console = config, images, run, console
        # Read from the disk once, however many networks are started from them.
        self.network = functools.cache(self._network)
        self.template = functools.cache(self._template)
        self.image_shape = (*parse_image_size(config.image_size), config.channels)

    def sources(self) -> Sources:
        """What `sweet_keras.runs.methods` starts networks from."""
        config = self.config
        return Sources(
            blank=self.blank,
            plain=lambda: self.network(config.source_size),
            direct=self.network,
            template=self.template,
            adapt_options=lambda: adapt_options(
                self.images, self.image_shape, config.pretrain_batch_size, config.adapt_epochs, 0
            ),
        )

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
        source = RunDirectory(self.run.sources / f"plain-{size}")
        if not source.model.exists():
            model = self._train(source, size, self.blank(size))
            with atomic_write(source.model) as path:
                model.encoder.save(path)
        return load_network(str(source.model))

    def _template(self) -> SweetTemplate:
        """The template; trained now if it is not there."""
        source = RunDirectory(self.run.sources / "template")
        if not source.template.exists():
            self._train(source, self.config.source_size, None).template().save(source.template)
        return SweetTemplate.load(source.template)

    def cost(self, needs: str, size: str) -> tuple[float, int]:
        """Seconds of pre-training and numbers stored that a method draws on at a size."""
        if needs == "nothing":
            return 0.0, 0
        trained = size if needs == "direct" else self.config.source_size
        name = "template" if needs == "template" else f"plain-{trained}"
        source = RunDirectory(self.run.sources / name)
        seconds = json.loads(source.results.read_text(encoding="utf-8"))["seconds"]
        if needs == "template":
            return seconds, self.template().parameters
        return seconds, self.network(trained).count_params()

    def _train(self, source: RunDirectory, size: str, encoder: ViTBackbone | None) -> keras.Model:
        config = self.config
        options = PretrainConfig(
            data=config.data,
            out=str(source.path),
            size=size,
            **{
                name: getattr(config, name)
                for name in (
                    "image_size channels head_dim patch_size ranks width_rate depth_rate "
                    "pixel_mean pixel_std mask_ratio decoder weight_decay warmup"
                ).split()
            },
            epochs=config.pretrain_epochs,
            batch_size=min(config.pretrain_batch_size, len(self.images)),
            learning_rate=config.pretrain_learning_rate,
        )
        steps = steps_per_epoch(self.images, options.batch_size)
        model = autoencoder(options, steps, encoder)
        source.path.mkdir(parents=True, exist_ok=True)
        seconds = train(
            model,
            source,
            self._batches(options.batch_size),
            steps_per_epoch=steps,
            epochs=options.epochs,
            label=f"pre-training {source.path.name}",
            console=self.console,
            resume=True,
        )
        with atomic_write(source.results) as path:
            path.write_text(json.dumps({"seconds": seconds, "steps": steps * options.epochs}))
        return model

    def _batches(self, batch_size: int) -> Callable[[int], object]:
        def batches(start_step: int):
            return pipeline(
                self.images,
                batch_size,
                image_shape=self.image_shape,
                augment="mae",
                start_step=start_step,
            )

        return batches
