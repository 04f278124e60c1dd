"""Which model of which library is meant."""

from __future__ import annotations

import functools
import importlib.util

import keras

from sweet_keras.tasks.extras import EXTRAS, LIBRARIES
from sweet_keras.tasks.head import Head

DEFAULT_HEADS = {"detect": "retinanet", "segment": "segformer"}


@functools.cache
def heads() -> tuple[Head, ...]:
    """All models there are, whether their library is installed or not."""
    from sweet_keras.tasks import keras_cv_heads, keras_hub_heads

    return (*keras_cv_heads.HEADS, *keras_hub_heads.HEADS)


def choose_head(task: str, name: str | None = None, library: str | None = None) -> Head:
    """Finds a model for a task, in a library that is installed.

    Args:
        task: `"detect"` or `"segment"`.
        name: Such as `"retinanet"`; by default `"retinanet"` or `"segformer"`.
        library: `"keras_cv"` or `"keras_hub"`; by default KerasHub where it is installed and has
            the model, since it needs no TensorFlow, else keras-cv.

    Raises:
        ValueError: If there is no such model.
        ImportError: If no library that has it is installed.
    """
    name = name or DEFAULT_HEADS[task]
    known = [head for head in heads() if head.task == task]
    if library not in (None, *LIBRARIES):
        raise ValueError(
            f"`library` must be None or one of {', '.join(LIBRARIES)}. Received: {library!r}"
        )
    fitting = [head for head in known if head.name == name and library in (None, head.library)]
    if not fitting:
        there = ", ".join(f"{head.name} ({head.library})" for head in known)
        raise ValueError(
            f"`head` must be one of {there}. Received: head={name!r}, library={library!r}"
        )
    fitting.sort(key=lambda head: head.library != "keras_hub")
    for head in fitting:
        if importlib.util.find_spec(head.library) is not None:
            return head
    ways = " or ".join(f"pip install 'sweet_keras[{EXTRAS[head.library]}]'" for head in fitting)
    raise ImportError(f"The model {name!r} needs {ways}")


def head_of(model: keras.Model) -> Head | None:
    """The entry of a model, or None if it is another kind of model."""
    library = type(model).__module__.partition(".")[0]
    for head in heads():
        if (head.library, head.model_class) == (library, type(model).__name__):
            return head
    return None
