"""What was measured with: versions, threads, sources, and the rate of a matrix product."""

import hashlib
import importlib.util
import os
import platform
from collections.abc import Callable
from pathlib import Path

from sweet_keras.runs import environment

from .clock import now

ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ("keras", "numpy", "torch", "jax", "tensorflow", "timm", "transformers", "lightly",
             "tensorly", "opt_einsum", "keras-hub", "grain")  # fmt: skip


def prepare(backend: str, device: str, threads: int) -> None:
    """Before any framework is imported: its backend, device, and number of threads.

    Where the system allows it the process is bound to so many cores, which all frameworks follow.
    """
    os.environ["KERAS_BACKEND"] = backend
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        os.environ["JAX_PLATFORMS"] = "cpu"
    else:
        os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # a peer needs memory too
    if threads < cores() and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])


def allow_tf32() -> None:
    """Lets all frameworks multiply float32 matrices as TF32: each has another default.

    Imports Keras: after `prepare`.
    """
    from sweet_keras import backends

    backends.current().device.set_tf32(True)
    if importlib.util.find_spec("torch"):  # the peers', whatever Keras runs on
        import torch

        torch.set_float32_matmul_precision("high")


def cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def describe(threads: int) -> dict:
    """Versions and machine, for the JSON file. Imports Keras: after `prepare`."""
    from sweet_keras import backends

    return {
        "versions": environment.installed_versions(_PACKAGES),
        "python": platform.python_version(),
        "processor": processor(),
        "devices": backends.current().device.describe()["devices"],
        "cores": os.cpu_count(),
        "threads": threads,
        "load_before": round(os.getloadavg()[0], 2),
        "measured": environment.now(),
        "sources": sources(),
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
    }


def processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def sources(root: Path = ROOT) -> str:
    """A digest of the library's code: a row is measured anew when it has changed."""
    digest = hashlib.sha256()
    for folder in ("sweet_keras", "backends"):
        for path in sorted((root / folder).glob("**/*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def matmul_rate(multiply: Callable, arrays: tuple, seconds: float = 0.5) -> float:
    """Multiply-adds a second of a product of two square matrices, the best of several.

    Args:
        multiply: Multiplies two arrays and waits for the result.
        arrays: Two (n, n) arrays.
        seconds: How long to try.
    """
    multiply(*arrays)
    best, end = float("inf"), now() + seconds
    while now() < end:
        began = now()
        multiply(*arrays)
        best = min(best, now() - began)
    return arrays[0].shape[0] ** 3 / best


def memory_now() -> int:
    """Bytes that this process has in memory (Linux)."""
    return _status("VmRSS")


def peak() -> int:
    """Bytes that this process had at most since `forget_peak` (Linux)."""
    return _status("VmHWM")


def forget_peak() -> None:
    """Lets `peak` begin anew."""
    Path("/proc/self/clear_refs").write_text("5")


def device_peak(backend: str) -> int:
    """Bytes that were in use at most on the GPU."""
    if backend == "torch":
        import torch

        return torch.cuda.max_memory_allocated()
    if backend == "jax":
        import jax

        return jax.devices()[0].memory_stats()["peak_bytes_in_use"]
    import tensorflow as tf

    return tf.config.experimental.get_memory_info("GPU:0")["peak"]


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(name))
