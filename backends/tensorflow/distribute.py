"""Several devices of TensorFlow: `MirroredStrategy`, or `MultiWorkerMirroredStrategy`.

Keras trains under both. What it lacks: its rows are blocks, of which some are empty in an uneven
batch; a mean over such a block counts as much as one over a full one. While `Devices.scope` is
entered, `keras.Model` deals rows to the devices like cards, and each device's loss counts by its
share of the rows.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

# Its reduction over workers takes the mean of numbers along a dimension that they do not have.
from keras.src.backend.tensorflow import trainer as keras_trainer

from ..engine import Engine, refuse_model_parallel
from ..own_batches import Batches, bind, next_order, own_evaluate_arguments, own_fit_arguments
from ..patched import patched
from ..rows import Rows, held_rows, holding

__all__ = ["Devices"]


class Devices(Engine):
    """The devices of all workers.

    Several workers, one for each host, are listed in TF_CONFIG as TensorFlow documents it. Then
    this must come before TensorFlow computes anything.

    Args:
        count: How many devices, `None` for all there are.
        model_parallel: Must be 1: kernels are not divided on TensorFlow.

    Attributes:
        count: Devices in all.
        process: Number of this worker, from 0.
        processes: Number of workers.
        names: The devices of this worker.

    Raises:
        ValueError: If there are fewer devices, or not all of several workers are wanted.
    """

    def __init__(self, count: int | None = None, model_parallel: int = 1) -> None:
        """Meets the other workers, if there are."""
        refuse_model_parallel(model_parallel, "TensorFlow")
        cluster = json.loads(os.environ.get("TF_CONFIG") or "{}")
        workers = cluster.get("cluster", {}).get("worker", [])
        self.processes = max(1, len(workers))
        self.process = int(cluster.get("task", {}).get("index", 0)) if workers else 0
        if self.processes > 1:
            self._strategy = tf.distribute.MultiWorkerMirroredStrategy()
        kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
        found = tf.config.list_logical_devices(kind)
        if self.processes > 1:
            found = [device for device in found if f"task:{self.process}/" in device.name]
        here = [f"{kind}:{device.name.rsplit(':', 1)[1]}" for device in found]
        everywhere = len(here) * self.processes
        if count is None:
            count = everywhere
        if count > everywhere or (self.processes > 1 and count != everywhere):
            raise ValueError(
                f"`devices` must be {'all' if self.processes > 1 else 'at most the'} {everywhere} "
                "that TensorFlow sees; a CPU is several by "
                f"`tf.config.set_logical_device_configuration`. Received: devices={count}"
            )
        self.count = count
        self.names = tuple(here if self.processes > 1 else here[:count])
        if self.processes == 1 and count > 1:
            self._strategy = tf.distribute.MirroredStrategy(list(self.names))
        first = self.process * len(self.names)
        self.here = range(first, first + len(self.names))

    def own_rows(self, total: int) -> np.ndarray:
        """Returns the numbers of the rows that this worker has to read.

        Args:
            total: Rows of every batch.
        """
        rows = np.arange(total)
        return rows[np.isin(rows % self.count, self.here)]

    def own_batches(self, batch: Any) -> list[Any]:
        """Returns what each device of this worker is given.

        Args:
            batch: Arrays, rows of `own_rows`.
        """
        devices = len(self.here)
        return [
            keras.tree.map_structure(lambda part, first=device: part[first::devices], batch)
            for device in range(devices)
        ]

    def gather(self, number: int) -> list[int]:
        """Returns the numbers of all workers, which all have to ask; also a barrier."""
        if self.processes == 1:
            return [number]
        mine = [0] * self.processes
        mine[self.process] = number
        here = self._strategy.run(lambda: tf.constant(mine, tf.int64))
        summed = self._strategy.reduce(tf.distribute.ReduceOp.SUM, here, axis=None).numpy()
        return [int(value) // len(self.here) for value in summed]

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """Makes every `fit` and `evaluate` inside one of all devices."""
        if self.count == 1:
            yield
            return
        model = keras.Model
        replaced = {name: getattr(self, f"_{name}")(getattr(model, name)) for name in _REPLACED}
        reduce = keras_trainer.reduce_per_replica
        if self.processes > 1:
            reduce = _first_of_worker(reduce)
        with (
            self._strategy.scope(),
            patched(model, **replaced),
            patched(keras_trainer, reduce_per_replica=reduce),
        ):
            yield

    def _fit(self, fit):
        def fit_on_all(model, *arguments, **options):
            given = bind(fit, model, *arguments, **options)
            del given["self"]
            self._check(model)
            given = own_fit_arguments(given, self, next_order(self.gather))
            first, given["x"] = self._dataset(given["x"])
            if given["validation_data"] is not None:
                given["validation_data"] = self._dataset(given["validation_data"])[1]
            with self._prepared(model, first):
                return fit(model, **given)

        return fit_on_all

    def _evaluate(self, evaluate):
        def evaluate_on_all(model, *arguments, **options):
            given = bind(evaluate, model, *arguments, **options)
            del given["self"]
            if given.get("_use_cached_eval_dataset"):  # `fit` has dealt its rows already
                return evaluate(model, **given)
            self._check(model)
            given = own_evaluate_arguments(given, self)
            first, given["x"] = self._dataset(given["x"])
            with self._prepared(model, first):
                return evaluate(model, **given)

        return evaluate_on_all

    def _train_step(self, step):
        return lambda model, data: self._with_rows(step, model, data)

    def _test_step(self, step):
        return lambda model, data: self._with_rows(step, model, data)

    def _with_rows(self, step, model, data):
        context = tf.distribute.get_replica_context()
        here = tf.shape(next(part for part in keras.tree.flatten(data) if part is not None))[0]
        total = context.all_reduce(tf.distribute.ReduceOp.SUM, here)
        index = int(tf.get_static_value(context.replica_id_in_sync_group))
        with holding(Rows(index, self.count, total)):
            return step(model, data)

    def _check(self, model: keras.Model) -> None:
        if model.distribute_strategy is not self._strategy:
            raise ValueError(
                "A model must be built inside of `distribute` to be trained on its devices. "
                f"Received: {model.name}, which was built outside"
            )
        if model.jit_compile:
            raise ValueError(
                "`jit_compile` must be False on several devices of TensorFlow. Received: True"
            )
        optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
        if getattr(optimizer, "gradient_accumulation_steps", None):
            # Keras would update, which devices do together, within a condition of each.
            raise ValueError(
                "`gradient_accumulation_steps` must be None on several devices of TensorFlow. "
                f"Received: {optimizer.gradient_accumulation_steps}"
            )

    def _dataset(self, batches: Batches) -> tuple[Any, Any]:
        """The first batch, and all of them as a distributed data set."""
        first = batches.first()
        spec = keras.tree.map_structure(
            lambda part: tf.TensorSpec((None, *part.shape[1:]), part.dtype), first
        )
        data = tf.data.Dataset.from_generator(lambda: iter(batches), output_signature=spec)
        return first, self._strategy.distribute_datasets_from_function(lambda context: data)

    @contextlib.contextmanager
    def _prepared(self, model: keras.Model, first: Any) -> Iterator[None]:
        """Builds from the first batch, of which Keras would take a mean over the devices."""

        def build(**unused):
            with self._strategy.scope():
                model._symbolic_build(data_batch=first)

        optimizer = model.optimizer
        scale_loss = optimizer.scale_loss

        def scale_by_rows(loss):
            rows = held_rows()
            here = rows.among_first(rows.total)
            # Keras has divided the loss by the number of devices, and adds gradients up.
            share = tf.cast(self.count * here, "float32") / tf.cast(rows.total, "float32")
            return scale_loss(loss * tf.cast(share, loss.dtype))

        with (
            patched(model, _maybe_symbolic_build=build),
            patched(optimizer, scale_loss=scale_by_rows),
        ):
            yield


def _first_of_worker(reduce):
    """What steps return, of the first device here; epochs ask the metrics, which add up."""

    def reduce_per_replica(values, strategy, reduction):
        if reduction == "concat":
            return reduce(values, strategy, reduction)
        return keras.tree.map_structure(
            lambda value: strategy.experimental_local_results(value)[0], values
        )

    return reduce_per_replica


_REPLACED = ("fit", "evaluate", "train_step", "test_step")
