"""`sweet evaluate`: the accuracy of a network."""

import json
from pathlib import Path

from rich.console import Console

from sweet_keras.core.atomic import atomic_write
from sweet_keras.data import open_source
from sweet_keras.models.image_classifier import ImageClassifier
from sweet_keras.runs.accuracy import Accuracy, class_names, measure_accuracy
from sweet_keras.runs.finetune_config import EvaluateConfig
from sweet_keras.runs.progress import batches_bar
from sweet_keras.runs.starting_point import load_network


def evaluate(
    config: EvaluateConfig, console: Console | None = None
) -> tuple[Accuracy, tuple[str, ...]]:
    """Measures a classifier, and writes the result to `config.json` if that is given.

    Args:
        config: All options.
        console: Where progress is shown.

    Returns:
        The accuracy, and the names of the classes of the network.

    Raises:
        ValueError: If the file is no classifier, or the data do not fit it.
    """
    console = console or Console(stderr=True)
    model = load_network(config.model)
    if not isinstance(model, ImageClassifier):
        raise ValueError(
            "MODEL must be a classifier, such as the model.keras of 'sweet finetune'. "
            f"Received: {config.model}, a network without one"
        )
    shape = tuple(model.backbone.image_shape)
    source = open_source(config.data, config.split, channels=shape[2])
    classes = class_names(source)
    if model.class_names is not None and source.classes is not None:
        if tuple(classes) != model.class_names:
            raise ValueError(
                f"--data must have the classes of the network, {', '.join(model.class_names)}, in "
                f"this order. Received: {config.data} with {', '.join(classes)}"
            )
    classes += tuple(str(number) for number in range(len(classes), model.classes))
    with batches_bar(console, "evaluating") as show:
        accuracy = measure_accuracy(model, source, shape, config.batch_size, progress=show)
    if config.json is not None:
        _write(Path(config.json), config, accuracy, classes)
    return accuracy, classes


def _write(
    path: Path, config: EvaluateConfig, accuracy: Accuracy, classes: tuple[str, ...]
) -> None:
    content = {
        "model": config.model,
        "data": config.data,
        "split": config.split,
        "images": accuracy.images,
        "accuracy": accuracy.overall,
        "classes": [
            {"name": name, "images": count, "accuracy": share}
            for name, count, share in zip(classes, accuracy.counts, accuracy.by_class, strict=True)
        ],
    }
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
