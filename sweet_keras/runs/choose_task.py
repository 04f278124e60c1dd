"""Which task is learned, by options or by a model."""

from typing import Any

import keras

from sweet_keras.models.image_classifier import ImageClassifier
from sweet_keras.runs.classification import Classification
from sweet_keras.runs.learning_task import LearningTask
from sweet_keras.runs.task_config import TaskConfig


def choose_task(config: TaskConfig, dropout: float = 0.0) -> LearningTask:
    """Returns the task that options ask for.

    Args:
        config: The options.
        dropout: Before the last layer of a classifier.

    Raises:
        ValueError: If there is no such model.
        ImportError: If the library of the model is not installed.
    """
    if config.task == "classify":
        return Classification(dropout)
    return _dense(
        config.task,
        config.head,
        config.library,
        config.anchor_size,
        channels=config.pyramid_channels,
        window=config.window,
    )


def task_of(model: keras.Model) -> LearningTask | None:
    """Returns the task a model was made for; None if it is no classifier, detector or segmenter."""
    if isinstance(model, ImageClassifier):
        return Classification(model.dropout)
    from sweet_keras.tasks.choose_head import head_of

    head = head_of(model)
    return None if head is None else _dense(head.task, head.name, head.library)


def _dense(name: str, *arguments: Any, **options: Any) -> LearningTask:
    # Loaded when needed: their models come from libraries that need not be installed.
    from sweet_keras.runs.detection import Detection
    from sweet_keras.runs.segmentation import Segmentation

    kind = Detection if name == "detect" else Segmentation
    return kind(*arguments, **options)
