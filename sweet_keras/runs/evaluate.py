"""`sweet evaluate`: how well a fine-tuned network does."""

import json
from pathlib import Path

from rich.console import Console

from sweet_keras.core.atomic import atomic_write
from sweet_keras.data import RenumberedSource
from sweet_keras.models.image_classifier import ImageClassifier
from sweet_keras.models.vit_backbone import ViTBackbone
from sweet_keras.runs.choose_task import task_of
from sweet_keras.runs.finetune_config import EvaluateConfig
from sweet_keras.runs.progress import batches_bar
from sweet_keras.runs.score import METRICS, Score
from sweet_keras.runs.starting_point import load_model
from sweet_keras.tasks.pyramid_of import class_names_of


def evaluate(
    config: EvaluateConfig, console: Console | None = None
) -> tuple[Score, tuple[str, ...], str]:
    """Measures a network, and writes the result to `config.json` if that is given.

    Args:
        config: All options.
        console: Where progress is shown.

    Returns:
        The score, the names of the classes of the network, and what the score is called.

    Raises:
        ValueError: If the file is no classifier, detector or segmenter, or the data do not fit it.
    """
    console = console or Console(stderr=True)
    model = load_model(config.model)
    task = task_of(model)
    if task is None:
        kind = "without a last layer" if isinstance(model, ViTBackbone) else type(model).__name__
        raise ValueError(
            "MODEL must be a classifier, detector or segmenter, such as the model.keras of "
            f"'sweet finetune'. Received: {config.model}, a network {kind}"
        )
    shape = tuple(model.inputs[0].shape[1:])
    source = task.open(config.data, config.split, shape[2], config.on_error)
    classes = task.classes(source)
    known = class_names_of(model)
    if known is not None and source.classes is not None and classes != known:
        if isinstance(model, ImageClassifier):
            raise ValueError(
                f"--data must have the classes of the network, {', '.join(known)}, in this order. "
                f"Received: {config.data} with {', '.join(classes)}"
            )
        unknown = [name for name in classes if name not in known]
        if unknown:
            raise ValueError(
                f"--data must have no classes but those of the network, {', '.join(known)}. "
                f"Received: {config.data} with {', '.join(unknown)}"
            )
        source, classes = RenumberedSource(source, known), known
    if known is None:
        console.print(
            "The file does not say the names of its classes: those of --data are taken, in their "
            "order.",
            markup=False,
            soft_wrap=True,
        )
    if isinstance(model, ImageClassifier):
        classes += tuple(str(number) for number in range(len(classes), model.classes))
    elif len(classes) != model.num_classes:
        raise ValueError(
            f"--data must have the {model.num_classes} classes of the network. "
            f"Received: {config.data} with {len(classes)}: {', '.join(classes)}"
        )
    with batches_bar(console, "evaluating") as show:
        score = task.measure(model, source, shape, config.batch_size, progress=show)
    if config.json is not None:
        _write(Path(config.json), config, score, classes, METRICS[task.name])
    return score, classes, METRICS[task.name]


def _write(
    path: Path, config: EvaluateConfig, score: Score, classes: tuple[str, ...], metric: str
) -> None:
    content = {
        "model": config.model,
        "data": config.data,
        "split": config.split,
        "images": score.images,
        metric: score.overall,
        **score.more,
        "classes": [
            {"name": name, "count": count, metric: share}
            for name, count, share in zip(classes, score.counts, score.by_class, strict=True)
        ],
    }
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
