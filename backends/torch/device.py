"""The machine as PyTorch sees it, and its switches."""

import os
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import torch

from ..threads import check_threads

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
        as `"cpu"` and `"cuda:0 NVIDIA H100"`) and `threads` (CPU threads of one operation).
    """
    devices = ["cpu"]
    for index in range(torch.cuda.device_count()):
        devices.append(f"cuda:{index} {torch.cuda.get_device_name(index)}")
    if torch.backends.mps.is_available():
        devices.append("mps")
    return {
        "framework": "torch",
        "version": torch.__version__,
        "devices": devices,
        "threads": torch.get_num_threads(),
    }


def set_threads(n: int) -> None:
    """Sets how many CPU threads one operation may use. Works at any time.

    Args:
        n: A positive number of threads.

    Raises:
        ValueError: `n` is not a positive integer.
    """
    torch.set_num_threads(check_threads(n))


def set_determinism(seed: int) -> None:
    """Makes two runs of the same program on the same machine give the same numbers.

    Seeds Python, numpy, Keras and PyTorch, and makes PyTorch choose deterministic algorithms:
    an operation that has none raises a `RuntimeError` when it runs. Works at any time on the CPU;
    on a GPU, call it before the first matrix product (cuBLAS reads its workspace setting once).

    Args:
        seed: An integer.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(True)
    keras.utils.set_random_seed(seed)


def set_seed(seed: int) -> None:
    """Seeds PyTorch's own generator, which Keras' dropout without a seed draws from.

    Args:
        seed: An integer.
    """
    torch.manual_seed(seed)


def random_state() -> dict[str, np.ndarray]:
    """Returns the state of PyTorch's own generators, which dropout without a seed draws from.

    Returns:
        A uint8 array for each generator: `"cpu"`, and where GPUs are in use `"cuda:0"` and so on.
    """
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_initialized():
        states |= {f"cuda:{i}": state for i, state in enumerate(torch.cuda.get_rng_state_all())}
    return {name: state.numpy().copy() for name, state in states.items()}


def set_random_state(state: Mapping[str, np.ndarray]) -> None:
    """Makes the generators go on from where they were.

    Args:
        state: What `random_state` returned, on any backend. Generators that are not in it, or whose
            device is not there, stay as they are.

    Raises:
        ValueError: An array is no state of a generator.
    """
    devices = torch.cuda.device_count()
    for name, array in state.items():
        kind, _, index = name.partition(":")
        try:
            if kind == "cpu":
                torch.set_rng_state(torch.tensor(array))
            elif kind == "cuda" and int(index) < devices:
                torch.cuda.set_rng_state(torch.tensor(array), int(index))
        except (RuntimeError, TypeError) as error:
            raise ValueError(
                f"`state` must hold what `random_state` returned. Received: {name!r}, an array "
                f"{array.dtype} {array.shape} ({error})"
            ) from error


def set_tf32(allowed: bool) -> None:
    """Sets whether a GPU may multiply float32 matrices with the ten bits of TF32.

    That is several times faster, and wrong in the fourth digit: fine for training, not for a
    comparison to 1e-5. Works at any time; not allowed is PyTorch's default for products, allowed
    for convolutions.

    Args:
        allowed: Whether it may.
    """
    torch.set_float32_matmul_precision("high" if allowed else "highest")
    torch.backends.cudnn.allow_tf32 = allowed


def limit_memory_growth() -> bool:
    """Makes the framework take GPU memory as it needs it: PyTorch always does.

    Its caching allocator grows on demand and never reserves a device at the start, so there is
    nothing to set.

    Returns:
        False: no setting was changed.
    """
    return False
