"""Saving the whole state of a training in one file, so that it can be interrupted anywhere."""

import json
import os
from pathlib import Path

import keras
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from sweet_keras import backends
from sweet_keras.core.atomic import atomic_write

_RANDOM = "random/"  # before the names of the framework's own generators


def training_state(model: keras.Model) -> dict[str, keras.Variable]:
    """Returns all variables that decide how a training goes on, by a unique name.

    They are the weights, the states of all random generators, and the optimizer's slots and step
    counter. Metrics are left out: they start anew with each epoch.

    Args:
        model: a built and compiled model.
    """
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    metrics = {id(variable) for variable in model.metrics_variables}
    variables = [variable for variable in model.variables if id(variable) not in metrics]
    state = {}
    for owner, group in (("model", variables), ("optimizer", model.optimizer.variables)):
        for index, variable in enumerate(group):
            # Paths may repeat, and carry counters that differ between processes: order decides.
            state[f"{owner}/{index:04d}"] = variable
    return state


def save_checkpoint(model: keras.Model, path: str | os.PathLike, epoch: int) -> None:
    """Writes the state after `epoch` whole epochs; the file is whole or not there.

    With the variables go the states of the framework's own generators, since Keras' dropout draws
    from that of PyTorch.

    Keras' `BackupAndRestore` writes weights and epoch to two files, in place, and a run killed
    between them goes on with one epoch repeated; hence this one file.

    Args:
        model: a built and compiled model.
        path: the file, in safetensors.
        epoch: number of finished epochs.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {}
    for name, variable in training_state(model).items():
        array = np.array(keras.ops.convert_to_numpy(variable.value), order="C")
        # Half precisions have no numpy type of their own; float32 holds them exactly.
        arrays[name] = array if array.dtype.kind in "fiub" else array.astype("float32")
    own = backends.current().device.random_state()
    arrays |= {_RANDOM + name: array for name, array in own.items()}
    with atomic_write(path) as temporary:
        save_file(arrays, temporary, metadata={"training": json.dumps({"epoch": epoch})})


def restore_checkpoint(model: keras.Model, path: str | os.PathLike) -> int:
    """Puts a saved state into a model.

    Args:
        model: a model built and compiled like the one that was saved.
        path: the file.

    Returns:
        The number of epochs that were finished.

    Raises:
        ValueError: if the file cannot be read or belongs to another model.
    """
    state = training_state(model)
    try:
        with safe_open(path, framework="numpy") as file:
            epoch = json.loads(file.metadata()["training"])["epoch"]
            arrays = {name: file.get_tensor(name) for name in file.keys()}
    except (OSError, SafetensorError, TypeError, KeyError) as error:
        raise ValueError(
            f"Expected the checkpoint of a training. Received: {path} ({error})"
        ) from error
    own = {name: arrays.pop(name) for name in list(arrays) if name.startswith(_RANDOM)}
    expected = {name: tuple(variable.shape) for name, variable in state.items()}
    received = {name: array.shape for name, array in arrays.items()}
    if expected != received:
        different = sorted(dict(expected.items() ^ received.items()))
        raise ValueError(
            f"The checkpoint must be of the same model and optimizer. "
            f"Received: {path}, which differs in {len(different)} of {len(expected)} arrays, "
            f"first in {different[0]}"
        )
    for name, variable in state.items():
        variable.assign(arrays[name])
    device = backends.current().device
    device.set_random_state({name.removeprefix(_RANDOM): own[name] for name in own})
    return int(epoch)


class Checkpoint(keras.callbacks.Callback):
    """Saves the whole state of a training after each epoch.

    Args:
        path: the file; each epoch replaces it.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        """Keeps the path."""
        super().__init__()
        self.path = Path(path)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Saves the state."""
        save_checkpoint(self.model, self.path, epoch + 1)
