"""Several devices, on each framework's own engine."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import Any

from sweet_keras import backends


class Distribution:
    """What `distribute` enters: the devices and processes of a training.

    Args:
        devices: The engine's `Devices`.

    Attributes:
        devices: Number of devices in all.
        process: Number of this process, from 0.
        processes: Number of processes.
        names: Names of the devices of this process.
    """

    def __init__(self, devices: Any) -> None:
        """Keeps the devices."""
        self.engine = devices
        self.devices: int = devices.count
        self.process: int = devices.process
        self.processes: int = devices.processes
        self.names: tuple[str, ...] = tuple(devices.names)

    @property
    def is_writer(self) -> bool:
        """Whether this is the process that writes files."""
        return self.process == 0

    def wait(self) -> None:
        """Waits until all processes have come here."""
        self.engine.gather(0)


_entered: list[Distribution] = []
_number_here = [0]  # this process's number, once that is known


def is_writer() -> bool:
    """Returns whether this process writes files: the first of those that train together.

    It is known from when `distribute` was first entered, and stays so afterwards.
    """
    return _number_here[0] == 0


def current() -> Distribution | None:
    """Returns what was entered last; `None` outside of `distribute`."""
    return _entered[-1] if _entered else None


def devices() -> int:
    """Returns the number of devices in all; 1 outside of `distribute`."""
    return _entered[-1].devices if _entered else 1


@contextlib.contextmanager
def distribute(devices: int | str = "all", *, model_parallel: int = 1) -> Iterator[Distribution]:
    """Trains on several devices what is built, compiled and fitted inside.

    The result is that of one device: batches are the whole ones, divided among the devices, and
    gradients are those of the whole batch, an uneven last batch included. What is drawn at random
    is drawn as one device would. JAX uses `keras.distribution`, TensorFlow `MirroredStrategy`, or
    `MultiWorkerMirroredStrategy` where TF_CONFIG lists several workers, torch the processes that
    `torchrun` has started; `docs/devices.md` shows each. Every process runs the same program and
    gives `fit` the same batches.

    Args:
        devices: How many, or `"all"`: all GPUs (or TPUs), or all CPU devices where there are none.
        model_parallel: Devices that the kernels of a model are divided among; JAX only. It divides
            `devices`.

    Yields:
        The `Distribution`.

    Raises:
        ValueError: If the engine does not have so many devices or cannot do what is asked.

    Example:
    ```python
    with sk.distribute("all"):
        mae = sk.MaskedAutoencoder(sk.SweetTemplateViT("L12H12"))
        mae.compile(optimizer="adamw")
        mae.fit(images, batch_size=1024, epochs=100)
    ```
    """
    wanted = _number(devices)
    if isinstance(model_parallel, bool) or not isinstance(model_parallel, int):
        raise ValueError(f"`model_parallel` must be an integer. Received: {model_parallel!r}")
    if _entered:
        raise ValueError("`distribute` must not be entered twice. Received: an inner one")
    engine = backends.current().distribute.Devices(wanted, model_parallel)
    distribution = Distribution(engine)
    _number_here[0] = distribution.process
    _agree_on_random_numbers(engine)
    _entered.append(distribution)
    try:
        with engine.scope():
            yield distribution
    finally:
        _entered.pop()


def _number(devices: int | str) -> int | None:
    """The number of devices; `None` for all."""
    if devices == "all":
        return None
    if isinstance(devices, str) and devices.isdecimal():
        devices = int(devices)
    if isinstance(devices, bool) or not isinstance(devices, int) or devices < 1:
        raise ValueError(f"`devices` must be a positive number or 'all'. Received: {devices!r}")
    return devices


def _agree_on_random_numbers(engine: Any) -> None:
    """Makes Python's generator, which all seeds come from, the same in all processes."""
    state = random.getstate()
    drawn = engine.gather(random.getrandbits(62))
    if len(set(drawn)) == 1:  # they were seeded alike
        random.setstate(state)
    else:
        random.seed(drawn[0])
