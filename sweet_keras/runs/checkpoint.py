"""Saving the whole state of a training in one file, so that it can be interrupted anywhere."""

import dataclasses
import json
import os
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Self

import keras
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from sweet_keras import backends
from sweet_keras.core.atomic import atomic_write
from sweet_keras.models.skipping_optimizer import SkippingOptimizer

_RANDOM = "random/"  # before the names of the framework's own generators
_METRIC = "metric/"  # before the running metrics of an epoch that is not over
_SKIPPED = "skipped"


class Unreadable(ValueError):
    """A file is no checkpoint, or a damaged one."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Position:
    """How far a training is.

    Attributes:
        epoch: Whole epochs that are done.
        step: Steps done in the epoch after them.
        seconds: Time spent on these steps.
        rate_factor: What the learning rate was multiplied with because of skipped steps.
        skipped_before: Skipped steps that have been dealt with.
    """

    epoch: int
    step: int = 0
    seconds: float = 0.0
    rate_factor: float = 1.0
    skipped_before: int = 0

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Makes one of what a file says; files of older versions say the epoch only."""
        types = {"epoch": int, "step": int, "skipped_before": int}
        names = [field.name for field in dataclasses.fields(cls)]
        given = {name: types.get(name, float)(values[name]) for name in names if name in values}
        return cls(**{"epoch": values["epoch"], **given})


def training_state(model: keras.Model) -> dict[str, keras.Variable]:
    """Returns all variables that decide how a training goes on, by a unique name.

    They are the weights, the states of all random generators, and the optimizer's slots and step
    counter. Metrics are left out: they start anew with each epoch.

    Args:
        model: a built and compiled model.
    """
    optimizer, own = model.optimizer, []
    if not optimizer.built:
        optimizer.build(model.trainable_variables)
    if isinstance(optimizer, SkippingOptimizer):
        own = [optimizer.skipped]
        optimizer = optimizer.inner_optimizer
    metrics = {id(variable) for variable in model.metrics_variables}
    variables = [variable for variable in model.variables if id(variable) not in metrics]
    groups = (("model", variables), ("optimizer", optimizer.variables), (_SKIPPED, own))
    # Paths may repeat, and carry counters that differ between processes: order decides.
    return {
        f"{owner}/{index:04d}": variable
        for owner, group in groups
        for index, variable in enumerate(group)
    }


def save_checkpoint(model: keras.Model, path: str | os.PathLike, position: Position) -> None:
    """Writes the state; the file is whole or not there.

    With the variables go the states of the framework's own generators, since Keras' dropout draws
    from that of PyTorch, and within an epoch its running metrics.

    Keras' `BackupAndRestore` writes weights and epoch to two files, in place, and a run killed
    between them goes on with one epoch repeated; hence this one file. It carries a check sum, since
    safetensors has none.

    Args:
        model: a built and compiled model.
        path: the file, in safetensors; its folder must exist.
        position: how far the training is.
    """
    write_checkpoint(checkpoint_arrays(model, position), path, position)


def checkpoint_arrays(model: keras.Model, position: Position) -> dict[str, np.ndarray]:
    """Returns the state as `save_checkpoint` writes it.

    Of several processes that train together all have to call it: some engines put variables
    together of what each process has.

    Args:
        model: a built and compiled model.
        position: how far the training is.
    """
    named = training_state(model)
    if position.step:
        metrics = enumerate(model.metrics_variables)
        named |= {f"{_METRIC}{index:04d}": variable for index, variable in metrics}
    arrays = {}
    for name, variable in named.items():
        array = np.array(keras.ops.convert_to_numpy(variable), order="C")
        # Half precisions have no numpy type of their own; float32 holds them exactly.
        arrays[name] = array if array.dtype.kind in "fiub" else array.astype("float32")
    own = backends.current().device.random_state()
    return arrays | {_RANDOM + name: array for name, array in own.items()}


def write_checkpoint(
    arrays: Mapping[str, np.ndarray], path: str | os.PathLike, position: Position
) -> None:
    """Writes a state; the file is whole or not there.

    Args:
        arrays: as `checkpoint_arrays` returns them.
        path: the file; its folder must exist.
        position: how far the training is.
    """
    about = {**dataclasses.asdict(position), "crc32": _check_sum(arrays)}
    with atomic_write(path) as temporary:
        save_file(dict(arrays), temporary, metadata={"training": json.dumps(about)})


@dataclasses.dataclass(frozen=True)
class Restored:
    """What was in a checkpoint besides the variables that are restored already.

    Attributes:
        position: How far the training was.
        random: States of the framework's own generators, which `fit` draws from before its first
            step.
        metrics: Values of the metrics' variables, of an epoch that was not over.
    """

    position: Position
    random: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    metrics: Sequence[np.ndarray] = ()

    def put_metrics(self, model: keras.Model) -> None:
        """Puts the running metrics of an epoch back.

        Args:
            model: The model, its metrics built and reset.

        Raises:
            ValueError: If it measures something else.
        """
        variables = model.metrics_variables
        if [array.shape for array in self.metrics] != [tuple(v.shape) for v in variables]:
            raise ValueError(
                "The checkpoint must be of a model with the same metrics. "
                f"Received: {len(self.metrics)} arrays for {len(variables)} variables"
            )
        for variable, array in zip(variables, self.metrics, strict=True):
            variable.assign(array)


def restore_checkpoint(model: keras.Model, path: str | os.PathLike) -> Restored:
    """Puts a saved state into a model.

    Args:
        model: a model built and compiled like the one that was saved.
        path: the file.

    Returns:
        How far the training was, and what can be put back only within `fit`.

    Raises:
        Unreadable: if the file is missing, no checkpoint, or damaged.
        ValueError: if it belongs to another model.
    """
    position, arrays = read_checkpoint(path)
    expected = training_state(model)
    groups: dict[str, dict[str, np.ndarray]] = {_RANDOM: {}, _METRIC: {}, "": {}}
    for name, array in arrays.items():
        prefix = next(prefix for prefix in groups if name.startswith(prefix))
        groups[prefix][name.removeprefix(prefix)] = array
    received = groups[""]
    # Checkpoints of older versions, and of trainings that skip nothing, count no skipped steps.
    counters = {name for name in {*expected, *received} if name.startswith(_SKIPPED)}
    shapes = {name: tuple(variable.shape) for name, variable in expected.items()}
    found = {name: array.shape for name, array in received.items()}
    different = sorted({name for name, _ in shapes.items() ^ found.items()} - counters)
    if different:
        raise ValueError(
            f"The checkpoint must be of the same model and optimizer. "
            f"Received: {path}, which differs in {len(different)} of {len(shapes)} arrays, "
            f"first in {different[0]}"
        )
    for name in expected.keys() & received.keys():
        expected[name].assign(received[name])
    metrics = [groups[_METRIC][name] for name in sorted(groups[_METRIC])]
    restored = Restored(position, groups[_RANDOM], metrics)
    backends.current().device.set_random_state(restored.random)
    return restored


def read_checkpoint(path: str | os.PathLike) -> tuple[Position, dict[str, np.ndarray]]:
    """Reads a checkpoint.

    Args:
        path: the file.

    Returns:
        How far the training was, and all arrays by name.

    Raises:
        Unreadable: if it is missing, no checkpoint, or damaged.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads(file.metadata()["training"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}
        position = Position.from_mapping(about)
        sound = about.get("crc32") in (None, _check_sum(arrays))
    # Whatever a damaged header or its JSON may lead to.
    except (
        OSError,
        SafetensorError,
        TypeError,
        ValueError,
        LookupError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise Unreadable(
            f"Expected the checkpoint of a training. Received: {path} ({error})"
        ) from error
    if not sound:
        raise Unreadable(
            f"Expected the checkpoint of a training. Received: {path} (its check sum is wrong)"
        )
    return position, arrays


def _check_sum(arrays: Mapping[str, np.ndarray]) -> int:
    check = 0
    for name in sorted(arrays):
        check = zlib.crc32(np.ascontiguousarray(arrays[name]).data, check)
    return check
