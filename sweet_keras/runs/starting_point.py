"""What a fine-tuning starts from: a template or a network in a file."""

import importlib
import time
import warnings
import zipfile
from pathlib import Path
from typing import Any

import keras

from sweet_keras.core.template import SweetTemplate
from sweet_keras.data import Source, pipeline
from sweet_keras.initialization.materialize import materialize, vit_like
from sweet_keras.models.image_classifier import ImageClassifier
from sweet_keras.models.vit_backbone import ViTBackbone
from sweet_keras.runs.finetune_config import FinetuneConfig
from sweet_keras.runs.geometry import parse_image_size
from sweet_keras.tasks.extras import EXTRAS

# What `--from` says, in the words of tables and figures.
METHODS = {"random": "xavier", "slice": "sweet_slice", "adapt": "sweet_adapt"}


def load_model(path: str) -> keras.Model:
    """Loads what a `.keras` file holds, without the state of its training.

    Raises:
        ValueError: If the file cannot be read as such.
        ImportError: If the library of its classes is not installed.
    """
    if not path.endswith(".keras"):
        raise ValueError(f"Expected the .keras file of a network. Received: {path}")
    if not Path(path).is_file():
        raise ValueError(f"Expected a .keras file. Received: {path}, which is not there")
    if not zipfile.is_zipfile(path):
        raise ValueError(f"Expected the .keras file of a network. Received: {path}, damaged")
    try:
        _register_libraries(path)
        with warnings.catch_warnings():
            # KerasHub's models compile themselves when they are made, each with an optimizer that
            # the saved state does not fit. Nothing is trained on here.
            warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")
            return keras.saving.load_model(path, compile=False)
    except ImportError:
        raise
    except (
        Exception
    ) as error:  # zipfile, json, h5py and Keras raise nearly anything on corrupt data
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ValueError(
            f"Expected the .keras file of a network. Received: {path} ({reason})"
        ) from error


def _register_libraries(path: str) -> None:
    """Imports the libraries that a file names, so that Keras knows their classes."""
    with zipfile.ZipFile(path) as file:
        config = file.read("config.json")
    if b"ImageGenerator" in config:
        importlib.import_module("sweet_keras.models.image_generator")
    for extra in EXTRAS.values():
        if f'"sweet_keras.{extra}'.encode() in config:
            importlib.import_module(f"sweet_keras.{extra}").PyramidBackbone  # noqa: B018


def load_network(path: str, model: keras.Model | None = None) -> ImageClassifier | ViTBackbone:
    """Loads a network that this package wrote.

    Args:
        path: The file.
        model: What is in it, if it has been loaded.

    Raises:
        ValueError: If the file cannot be read as such.
    """
    model = load_model(path) if model is None else model
    if not isinstance(model, (ImageClassifier, ViTBackbone)):
        raise ValueError(
            "Expected a ViTBackbone or an ImageClassifier of this package. "
            f"Received: {path}, a {type(model).__name__}"
        )
    return model


def adapt_options(
    source: Source,
    image_shape: tuple[int, int, int],
    batch_size: int,
    epochs: float,
    seed: int,
    classes: int | None = None,
) -> dict[str, Any]:
    """Returns the arguments that make `materialize` fit a network to images.

    By the loss of the masked autoencoder, without labels; with a number of `classes` by
    classification of these.
    """
    given = {"augment": "mae", "labels": classes is not None}
    options = fit_options(source, image_shape, batch_size, epochs, seed, **given)
    return {**options, "classes": classes}


def fit_options(
    source: Source,
    image_shape: tuple[int, int, int],
    batch_size: int,
    epochs: float,
    seed: int,
    **batches: Any,
) -> dict[str, Any]:
    """Returns the arguments of a brief fit to images; `batches` are options of `pipeline`."""
    batch_size = min(batch_size, len(source))
    return {
        "adapt": pipeline(source, batch_size, image_shape=image_shape, seed=seed, **batches),
        "steps": max(1, round(epochs * len(source) / batch_size)),
        "batch_size": batch_size,
        "seed": seed,
    }


class StartingPoint:
    """The file a fine-tuning starts from, read once.

    Args:
        config: The options of the fine-tuning.
        model: What a `.keras` file holds, if it has been loaded.

    Raises:
        ValueError: If the file cannot be read, or options do not fit its kind.
    """

    def __init__(self, config: FinetuneConfig, model: keras.Model | None = None) -> None:
        """Reads the file."""
        self.config = config
        self.backbone: ViTBackbone | None = None
        self.template: SweetTemplate | None = None
        if config.model.endswith(".keras"):
            config.require("size", config.size is None, "left out with a .keras file")
            fits = config.image_size is None or config.task in ("detect", "segment")
            config.require("image_size", fits, f"left out with a .keras file to {config.task}")
            fits = config.start in ("auto", "random")
            config.require("start", fits, "auto or random with a .keras file")
            model = load_network(config.model, model)
            self.backbone = model.backbone if isinstance(model, ImageClassifier) else model
            native = tuple(self.backbone.image_shape)
        else:
            self.template = SweetTemplate.load(config.model)
            native = self.template.image_shape
        sides = native[:2] if config.image_size is None else parse_image_size(config.image_size)
        self.image_shape = (*sides, native[2])

    @property
    def method(self) -> str:
        """How the network is started: xavier, sweet_slice, sweet_adapt, or file."""
        return METHODS.get(self.config.start, "sweet_slice" if self.backbone is None else "file")

    def network(self, images: Source) -> tuple[ViTBackbone, float]:
        """Makes the network, in the data type policy that is set.

        Args:
            images: What it is adapted to, where that is asked for.

        Returns:
            The network and the seconds it took to make it.
        """
        began = time.perf_counter()
        vit = self._from_template(images) if self.backbone is None else self._from_network()
        return vit, time.perf_counter() - began

    def _from_template(self, images: Source) -> ViTBackbone:
        config, size = self.config, self.config.size or self.template.size
        if self.method == "xavier":
            return vit_like(self.template.resize(size, self.image_shape))
        options = {}
        if self.method == "sweet_adapt":
            options = adapt_options(
                images, self.image_shape, config.batch_size, config.adapt_epochs, config.seed
            )
        return materialize(self.template, size, image_shape=self.image_shape, **options)

    def _from_network(self) -> ViTBackbone:
        # Made anew, since a loaded network keeps the precision that it was saved with.
        policy = keras.config.dtype_policy().name
        vit = ViTBackbone.from_config({**self.backbone.get_config(), "dtype": policy})
        if self.method != "xavier":
            vit.set_weights(self.backbone.get_weights())
        return vit
