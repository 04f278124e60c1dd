"""What a generator is trained from: a template, a network, or a generator in a file."""

import time

import keras

from sweet_keras.data import Source
from sweet_keras.initialization.materialize_generator import materialize_generator
from sweet_keras.initialization.resized_generator import resized_generator
from sweet_keras.models.image_generator import ImageGenerator
from sweet_keras.models.vit_backbone import ViTBackbone
from sweet_keras.runs.finetune_config import FinetuneConfig
from sweet_keras.runs.starting_point import METHODS, StartingPoint, fit_options, load_model


class GeneratorStart:
    """The file that a generator is started from, read once.

    Args:
        config: The options of the fine-tuning.

    Attributes:
        image_shape: (height, width, channels) of the images.
        method: How it is started: xavier, sweet_slice, sweet_adapt, or file.

    Raises:
        ValueError: If the file cannot be read, or options do not fit its kind.
    """

    def __init__(self, config: FinetuneConfig) -> None:
        """Reads the file."""
        self.config = config
        model = load_model(config.model) if config.model.endswith(".keras") else None
        self._source: ImageGenerator | None = None
        if isinstance(model, ImageGenerator):
            self._source = model
            self._check(model)
            self.image_shape = tuple(model.backbone.image_shape)
            plain = isinstance(model.backbone, ViTBackbone)
            self.method = METHODS.get(config.start, "file" if plain else "sweet_slice")
        else:
            self._start = StartingPoint(config, model)
            self.image_shape, self.method = self._start.image_shape, self._start.method

    def generator(
        self, images: Source, learned: Source, classes: int
    ) -> tuple[ImageGenerator, float]:
        """Makes the generator, in the data type policy that is set.

        Args:
            images: What a template's network is adapted to without labels, if that is asked for.
            learned: What a generator that carries a template is adapted to.
            classes: Number of classes.

        Returns:
            A built, uncompiled generator around a `ViTBackbone`, and the seconds it took to make.

        Raises:
            ValueError: If the generator in the file has other classes.
        """
        began = time.perf_counter()
        if self._source is None:
            vit, _ = self._start.network(images)
            made = ImageGenerator(vit, classes, seed=self.config.seed, **self.config.learning())
            made.build()
        else:
            if self._source.classes != classes:
                raise ValueError(
                    f"--data must have the {self._source.classes} classes of the generator. "
                    f"Received: {self.config.data} with {classes}"
                )
            made = self._from_generator(learned)
        return made, time.perf_counter() - began

    def _from_generator(self, learned: Source) -> ImageGenerator:
        config, made = self.config, self._source
        if not isinstance(made.backbone, ViTBackbone):
            adapt = {}
            if self.method == "sweet_adapt":
                options = config.batch_size, config.adapt_epochs, config.seed
                adapt = fit_options(learned, self.image_shape, *options, labels=True)
            made = materialize_generator(made, config.size, **adapt)
        # Made anew, since a loaded network keeps the precision that it was saved with.
        policy = keras.config.dtype_policy().name
        vit = ViTBackbone.from_config({**made.backbone.get_config(), "dtype": policy})
        if self.method == "xavier":
            learning = {"objective": made.objective, "label_dropout": made.label_dropout}
            learning |= config.learning()
            made = ImageGenerator(vit, made.classes, seed=config.seed, **learning)
            made.build()
            return made
        vit.set_weights(made.backbone.get_weights())
        made = resized_generator(made, vit, config.seed)
        if config.label_dropout is not None:
            made.label_dropout = config.label_dropout
        return made

    def _check(self, model: ImageGenerator) -> None:
        config = self.config
        if model.encoder is not None:
            raise ValueError(
                "The command line trains generators of pixels; one of latents is trained in "
                f"Python. Received: {config.model}, with an encoder"
            )
        config.require("image_size", config.image_size is None, "left out with a generator")
        same = config.objective in (None, model.objective)
        config.require("objective", same, f"{model.objective}, as in the generator's file")
        if isinstance(model.backbone, ViTBackbone):
            expected = "left out with a generator that carries no template"
            config.require("size", config.size is None, expected)
            fits = config.start in ("auto", "random")
            config.require("start", fits, "auto or random with a generator without a template")
