"""Starts `phases.py` on one device, on two, or in two processes, on the active backend."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np

PROGRAM = Path(__file__).with_name("phases.py")


def run_phases(folder, devices, *phases, backend, processes=1, model_parallel=1):
    """Returns the arrays that the phases gave on some devices.

    Args:
        folder: For files.
        devices: How many, in all.
        *phases: Which; all by default.
        backend: The backend.
        model_parallel: Devices that kernels are divided among.
        processes: In how many processes; on torch always one for each device.
    """
    out = Path(folder) / f"{devices}-{processes}-{'-'.join(phases)}.npz"
    if backend == "torch":
        processes = devices
    command = [sys.executable, str(PROGRAM), str(out), str(devices), str(model_parallel), *phases]
    for code, _, errors in run_together(command, folder, environments(backend, processes)):
        assert code == 0, errors
    with np.load(out) as arrays:
        return dict(arrays)


def run_together(command, folder, environments):
    """Runs a command in a process for each environment; how each ended and what it printed."""
    running = [
        subprocess.Popen(
            command, cwd=folder, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for env in environments
    ]
    outputs = [process.communicate() for process in running]
    return [(process.returncode, *output) for process, output in zip(running, outputs, strict=True)]


def environments(backend, processes):
    """Returns the environment of each process of a training: how they find each other."""
    kept = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    for name in ("TF_CONFIG", "JAX_COORDINATOR_ADDRESS", "WORLD_SIZE", "RANK", "LOCAL_RANK"):
        kept.pop(name, None)
    kept["KERAS_BACKEND"] = backend
    if processes == 1:
        return [kept]
    port = _free_port()
    return [kept | _meeting(backend, index, processes, port) for index in range(processes)]


def largest_difference(one, other):
    """Between two results of the same phases."""
    assert one.keys() == other.keys()
    return max(float(np.abs(one[name] - other[name]).max()) for name in one)


def _meeting(backend, index, processes, port):
    """What tells a process where the others are; for torch, what torchrun sets."""
    address = f"127.0.0.1:{port}"
    if backend == "jax":
        return {
            "JAX_COORDINATOR_ADDRESS": address,
            "JAX_NUM_PROCESSES": str(processes),
            "JAX_PROCESS_ID": str(index),
        }
    if backend == "torch":
        return {
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
            "WORLD_SIZE": str(processes),
            "RANK": str(index),
            "LOCAL_RANK": str(index),
        }
    workers = [f"127.0.0.1:{port + number}" for number in range(processes)]
    config = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
    return {"TF_CONFIG": json.dumps(config)}


def _free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
