"""The machine as JAX sees it, and its switches.

XLA reads its settings once, when JAX first touches a device, and ignores later changes silently.
The functions here refuse instead.
"""

import os
from collections.abc import Mapping
from typing import Any

import jax
import keras
import numpy as np

# JAX has no public way to ask this, and asking for the devices would start it.
from jax._src.xla_bridge import backends_are_initialized

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

# XLA makes its thread pool as large as the first of the two that is set.
THREADS = ("PJRT_NPROC", "NPROC")


def describe() -> dict[str, Any]:
    """Describes the framework and the devices it sees, for reports and bug reports.

    This starts JAX: call `set_threads`, `set_determinism` and `limit_memory_growth` before.

    Returns:
        A dictionary with `framework` and `version` (strings), `devices` (a list of strings, such
        as `"cpu:0"` and `"cuda:0 NVIDIA H100"`) and `threads` (CPU threads of one operation).
    """
    devices = []
    for device in jax.devices():
        name, kind = f"{device.platform}:{device.id}", device.device_kind
        devices.append(name if kind == device.platform else f"{name} {kind}")
    return {
        "framework": "jax",
        "version": jax.__version__,
        "devices": devices,
        "threads": _threads(),
    }


def set_threads(n: int) -> None:
    """Sets how many CPU threads one operation may use.

    Call it before JAX touches a device.

    Args:
        n: A positive number of threads.

    Raises:
        ValueError: `n` is not a positive integer.
        RuntimeError: JAX has started, with another number of threads.
    """
    if check_threads(n) == _threads():
        return
    _refuse_after_start("set_threads")
    for variable in THREADS:
        os.environ[variable] = str(n)


def set_determinism(seed: int) -> None:
    """Makes two runs of the same program on the same machine give the same numbers.

    Seeds Python, numpy and Keras, and makes XLA choose deterministic kernels on a GPU. On a CPU
    they are deterministic, and it works at any time; with a GPU, call it before JAX touches it.

    Args:
        seed: An integer.

    Raises:
        RuntimeError: JAX has started on a GPU.
    """
    flag = "--xla_gpu_deterministic_ops=true"
    flags = os.environ.get("XLA_FLAGS", "")
    if flag not in flags.split() and not _started_on_cpu():
        _refuse_after_start("set_determinism")
        os.environ["XLA_FLAGS"] = f"{flags} {flag}".strip()
    keras.utils.set_random_seed(seed)


def set_seed(seed: int) -> None:
    """Does nothing: JAX has no generator of its own, every draw is given its key.

    Args:
        seed: An integer.
    """


def random_state() -> dict[str, np.ndarray]:
    """Returns the state of the framework's own generators: JAX has none.

    Returns:
        An empty dictionary.
    """
    return {}


def set_random_state(state: Mapping[str, np.ndarray]) -> None:
    """Does nothing: JAX has no generator of its own.

    Args:
        state: What `random_state` returned, on any backend.
    """


def set_tf32(allowed: bool) -> None:
    """Sets whether a GPU may multiply float32 matrices with the ten bits of TF32.

    That is several times faster, and wrong in the fourth digit: fine for training, not for a
    comparison to 1e-5. Works for what is compiled afterwards; allowed is what XLA does by default.

    Args:
        allowed: Whether it may.
    """
    jax.config.update("jax_default_matmul_precision", "tensorfloat32" if allowed else "float32")


def limit_memory_growth() -> bool:
    """Makes the framework take GPU memory as it needs it, not three quarters of it at the start.

    Call it before JAX touches a device.

    Returns:
        True if it is set (JAX does not say yet whether there is a GPU), False if JAX has started
        and there is none.

    Raises:
        RuntimeError: JAX has started on a GPU, and holds its memory already.
    """
    if _started_on_cpu():
        return False
    if os.environ.get("XLA_PYTHON_CLIENT_PREALLOCATE") != "false":
        _refuse_after_start("limit_memory_growth")
        os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    return True


def _threads() -> int:
    return next((int(os.environ[v]) for v in THREADS if v in os.environ), default_threads())


def _started_on_cpu() -> bool:
    return backends_are_initialized() and jax.default_backend() == "cpu"


def _refuse_after_start(function: str) -> None:
    if backends_are_initialized():
        raise RuntimeError(
            f"`{function}` must be called before JAX touches a device: XLA has read its settings. "
            "Call it directly after importing sweet_keras, before a layer is built."
        )
