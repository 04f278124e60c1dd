"""The only code of sweet_keras that imports a framework: a folder each, the same files in each.

Beside them `formats` holds what one framework alone reads or writes, whatever backend is active,
and `cuda_graphs` how a GPU repeats the training steps of PyTorch.
"""

import functools
import importlib
from types import ModuleType

__all__ = ["NAMES", "current"]

NAMES = ("tensorflow", "torch", "jax")


def current() -> ModuleType:
    """Returns the package of the active Keras backend, importing it on first use.

    The packages have the same modules with the same public functions, so what is written against
    one runs on the others.

    Returns:
        `sweet_keras.backends.tensorflow`, `.torch` or `.jax`.

    Raises:
        ValueError: Keras runs on a backend that has no package here, such as `"numpy"`.

    Example:
        >>> from sweet_keras import backends
        >>> backends.current().device.describe()["framework"]
        'torch'
    """
    import keras

    name = keras.backend.backend()
    if name not in NAMES:
        raise ValueError(
            f"The Keras backend must be one of {', '.join(NAMES)}; it is chosen by the environment "
            f"variable KERAS_BACKEND before keras is imported. Received: {name!r}"
        )
    return _package(name)


@functools.cache  # asked for in every layer
def _package(name: str) -> ModuleType:
    return importlib.import_module(f"{__name__}.{name}")
