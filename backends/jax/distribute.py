"""Several devices of JAX, in one process or in one for each host: `keras.distribution`.

A model sees whole batches; XLA divides the work. What Keras lacks is an uneven batch: it is not
divided then, every device computes the whole of it.
"""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils

# The iterator fixes the division of data by the first batch; there is no public place to say it.
from keras.src.backend.jax.trainer import JAXEpochIterator

from ..engine import Engine
from ..own_batches import bind, next_order, own_fit_arguments
from ..patched import patched

__all__ = ["Devices"]

_BATCH, _MODEL = "batch", "model"

_VALIDATION = ("validation_data", "validation_steps", "validation_batch_size")

# Kernels of our layers, by the end of their path: those that widen by their outputs, those that
# come back by their inputs, so that what lies between stays divided.
_DIVIDED = {
    r"(qkv|mlp_in)_kernel$": (None, _MODEL),
    r"(output|mlp_out)_kernel$": (_MODEL, None),
    r"kernels/core$": (None, None, _MODEL),
}


class Devices(Engine):
    """The devices of all processes.

    For several processes, one for each host, JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and
    JAX_PROCESS_ID are read, unless `jax.distributed.initialize` was called before.

    Args:
        count: How many devices, `None` for all there are.
        model_parallel: Devices that kernels are divided among.

    Attributes:
        count: Devices in all.
        process: Number of this process, from 0.
        processes: Number of processes.
        names: The devices of this process.

    Raises:
        ValueError: If there are fewer devices, or not all of several processes are wanted.
    """

    def __init__(self, count: int | None = None, model_parallel: int = 1) -> None:
        """Meets the other processes, if there are."""
        address = os.environ.get("JAX_COORDINATOR_ADDRESS")
        if address and not jax.distributed.is_initialized():
            jax.distributed.initialize(
                address,
                int(os.environ["JAX_NUM_PROCESSES"]) if "JAX_NUM_PROCESSES" in os.environ else None,
                int(os.environ["JAX_PROCESS_ID"]) if "JAX_PROCESS_ID" in os.environ else None,
            )
        found = keras.distribution.list_devices()
        self.process, self.processes = jax.process_index(), jax.process_count()
        if count is None:
            count = len(found)
        if count > len(found) or (self.processes > 1 and count != len(found)):
            least = "all" if self.processes > 1 else "at most the"
            raise ValueError(
                f"`devices` must be {least} {len(found)} that JAX sees"
                f"{' in all processes' if self.processes > 1 else ''}; a CPU is several for "
                "`XLA_FLAGS=--xla_force_host_platform_device_count=N`. "
                f"Received: devices={count}"
            )
        if model_parallel < 1 or count % model_parallel:
            raise ValueError(
                f"`model_parallel` must divide the number of devices, {count}. "
                f"Received: model_parallel={model_parallel}"
            )
        if model_parallel > 1 and self.processes > 1:
            raise ValueError(
                "`model_parallel` must be 1 on several hosts, whose weights could not be saved "
                f"by one of them. Received: model_parallel={model_parallel}"
            )
        self.count = count
        self._all = found[:count]
        self.names = tuple(f"{device.platform}:{device.id}" for device in jax.local_devices())
        self.names = tuple(name for name in self.names if name in self._all)
        self._model_parallel = model_parallel

    def deal(self, total: int) -> list[slice]:
        """Returns which rows of a batch to read: all, of which JAX then takes this process's.

        Args:
            total: Rows of the batch.
        """
        return [slice(None)]

    def own_rows(self, total: int) -> np.ndarray:
        """Returns the numbers of the rows that this process has to read: a block.

        Args:
            total: Rows of every batch.

        Raises:
            ValueError: If they cannot be divided among several hosts.
        """
        if self.processes == 1:
            return np.arange(total)
        if total % self.count:
            raise ValueError(
                f"`batch_size` must be divisible by the {self.count} devices of several hosts. "
                f"Received: {total}"
            )
        return np.arange(total)[_block(total, self.process, self.processes)]

    def own_batches(self, batch: Any) -> list[Any]:
        """Makes the whole batch of the rows that each process has read.

        Args:
            batch: Arrays, rows of `own_rows`.
        """
        if self.processes == 1:
            return [batch]
        distribution = keras.distribution.distribution()

        def whole(part):
            shape = (len(part) * self.processes, *part.shape[1:])
            layout = distribution.get_data_layout(shape).backend_layout
            return jax.make_array_from_process_local_data(layout, np.asarray(part), shape)

        return [keras.tree.map_structure(whole, batch)]

    def gather(self, number: int) -> list[int]:
        """Returns the numbers of all processes, which all have to ask; also a barrier."""
        if self.processes == 1:
            return [number]
        halves = np.array([number >> 31, number & (2**31 - 1)], np.int32)
        return [
            (int(high) << 31) | int(low)
            for high, low in multihost_utils.process_allgather(halves).reshape(-1, 2)
        ]

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """Makes every `fit`, `evaluate` and `predict` inside one of all devices."""
        if self.count == 1:
            yield
            return
        with (
            _distribution(self._all, self._model_parallel).scope(),
            patched(keras.Model, fit=self._fit(keras.Model.fit)),
            patched(JAXEpochIterator, _get_distributed_iterator=_divided),
        ):
            yield

    def _fit(self, fit):
        def fit_on_all(model, *arguments, **options):
            self._check(model)
            given = bind(fit, model, *arguments, **options)
            del given["self"]
            if self.processes > 1:
                # Arrays in one order for all; validation is read as it is given, by all.
                held = {name: given[name] for name in _VALIDATION}
                given |= dict.fromkeys(_VALIDATION)
                given = own_fit_arguments(given, self, next_order(self.gather)) | held
                given["x"] = (batch for batch in given["x"])
            return fit(model, **given)

        return fit_on_all

    def _check(self, model: keras.Model) -> None:
        """Refuses a model that lies on one device."""
        for variable in model.variables:
            if len(variable.value.sharding.device_set) != self.count:
                raise ValueError(
                    "A model must be built inside of `distribute` to be trained on its devices. "
                    f"Received: {model.name}, whose {variable.path} was built outside"
                )


class _UnevenWhole:
    """Of a distribution: an uneven batch is not divided."""

    def get_data_layout(self, data_shape):
        """Returns how data is divided; see `keras.distribution.Distribution`."""
        if data_shape and data_shape[0] % self.num_model_replicas:
            return keras.distribution.TensorLayout([None] * len(data_shape), self.device_mesh)
        return super().get_data_layout(data_shape)


class _DataParallel(_UnevenWhole, keras.distribution.DataParallel):
    pass


class _ModelParallel(_UnevenWhole, keras.distribution.ModelParallel):
    def get_variable_layout(self, variable):
        """Returns how a variable is divided; not, where its sides do not allow it."""
        layout = super().get_variable_layout(variable)
        parts = self.device_mesh.shape[1]
        for axis, side in zip(layout.axes, variable.shape, strict=True):
            if axis == _MODEL and side % parts:
                whole = [None] * len(variable.shape)
                return keras.distribution.TensorLayout(whole, self.device_mesh)
        return layout


def _distribution(devices: list[str], model_parallel: int) -> Any:
    if model_parallel == 1:
        return _DataParallel(devices=devices, auto_shard_dataset=False)
    mesh = keras.distribution.DeviceMesh(
        (len(devices) // model_parallel, model_parallel), [_BATCH, _MODEL], devices
    )
    layouts = keras.distribution.LayoutMap(mesh)
    for path, axes in _DIVIDED.items():
        layouts[path] = axes
    return _ModelParallel(layout_map=layouts, batch_dim_name=_BATCH, auto_shard_dataset=False)


def _divided(iterator: JAXEpochIterator, distribution: Any) -> Iterator[Any]:
    """Batches of Keras's iterator, divided among the devices, each as its rows allow."""

    def divide(part):
        if part is None or (isinstance(part, jax.Array) and not part.is_fully_addressable):
            return part
        layout = distribution.get_data_layout(part.shape).backend_layout
        # Every process has the whole batch; each device is given its rows of it.
        part = np.asarray(part)
        return jax.make_array_from_callback(part.shape, layout, lambda index: part[index])

    for batch in iterator.data_adapter.get_jax_iterator():
        yield keras.tree.map_structure(divide, batch)


def _block(total: int, process: int, processes: int) -> slice:
    rows = total // processes
    return slice(process * rows, (process + 1) * rows)
