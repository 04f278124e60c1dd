"""The machine as TensorFlow sees it, and its switches."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..threads import check_threads, default_threads

__all__ = [
    "describe",
    "limit_memory_growth",
    "random_state",
    "set_determinism",
    "set_random_state",
    "set_seed",
    "set_tf32",
    "set_threads",
]


def describe() -> dict[str, Any]:
    """Describes the framework and the devices it sees, for reports and bug reports.

    Returns:
        A dictionary with `framework` and `version` (strings), `devices` (a list of strings, such
        as `"cpu:0"` and `"gpu:0 NVIDIA H100"`) and `threads` (CPU threads of one operation).
    """
    devices = []
    for device in tf.config.list_physical_devices():
        kind, index = device.name.split(":")[-2:]
        details = tf.config.experimental.get_device_details(device)
        devices.append(f"{kind.lower()}:{index} {details.get('device_name', '')}".rstrip())
    return {
        "framework": "tensorflow",
        "version": tf.__version__,
        "devices": devices,
        "threads": _threads(),
    }


def set_threads(n: int) -> None:
    """Sets how many CPU threads one operation may use, and how many operations run side by side.

    Call it before TensorFlow computes anything: its thread pools are made once.

    Args:
        n: A positive number of threads.

    Raises:
        ValueError: `n` is not a positive integer.
        RuntimeError: TensorFlow has started, with another number of threads.
    """
    if check_threads(n) == _threads():
        return
    tf.config.threading.set_intra_op_parallelism_threads(n)
    tf.config.threading.set_inter_op_parallelism_threads(n)


def set_determinism(seed: int) -> None:
    """Makes two runs of the same program on the same machine give the same numbers.

    Seeds Python, numpy, Keras and TensorFlow, and makes TensorFlow choose deterministic kernels:
    an operation that has none raises `tf.errors.UnimplementedError` when it runs. Call it before
    TensorFlow traces a function that is to be deterministic. There is no way back in a process.

    Args:
        seed: An integer.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def set_seed(seed: int) -> None:
    """Seeds TensorFlow's own generator, which operations without a seed draw from.

    Args:
        seed: An integer.
    """
    tf.random.set_seed(seed)


def random_state() -> dict[str, np.ndarray]:
    """Returns the state of the framework's own generators: TensorFlow has none that can be read.

    An operation without a seed hides its state; Keras makes none of these, its layers draw from
    variables.

    Returns:
        An empty dictionary.
    """
    return {}


def set_random_state(state: Mapping[str, np.ndarray]) -> None:
    """Does nothing: TensorFlow has no generator that could go on from a state, see `random_state`.

    Args:
        state: What `random_state` returned, on any backend.
    """


def set_tf32(allowed: bool) -> None:
    """Sets whether a GPU may multiply float32 matrices with the ten bits of TF32.

    That is several times faster, and wrong in the fourth digit: fine for training, not for a
    comparison to 1e-5. Works at any time; allowed is TensorFlow's default.

    Args:
        allowed: Whether it may.
    """
    tf.config.experimental.enable_tensor_float_32_execution(allowed)


def limit_memory_growth() -> bool:
    """Makes the framework take GPU memory as it needs it, not the whole device at the start.

    Call it before TensorFlow computes anything.

    Returns:
        True if it was set on a GPU, False if there is none.

    Raises:
        RuntimeError: TensorFlow has started, and holds the GPU's memory already.
    """
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    return bool(gpus)


def _threads() -> int:
    # TensorFlow answers 0 for its default.
    return tf.config.threading.get_intra_op_parallelism_threads() or default_threads()
