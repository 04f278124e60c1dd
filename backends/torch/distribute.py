"""Several processes of PyTorch, one for each device, that train one model.

Keras knows nothing of them. While `Devices.scope` is entered, `keras.Model` takes each process's
rows of a batch, adds the gradients up over the processes before the optimizer sees them, and adds
up what metrics have counted.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import torch
import torch.distributed as dist

from ..engine import Engine, refuse_model_parallel
from ..own_batches import Batches, bind, next_order, own_evaluate_arguments, own_fit_arguments
from ..patched import patched
from ..rows import Rows, held_rows, holding

__all__ = ["Devices"]

# Numbers in one message: large enough to be worth it, small enough to need no copy of a model.
_MESSAGE = 2**24


class Devices(Engine):
    """The devices of all processes, of which this process has one.

    The processes are started by `torchrun`, which sets what is read here: WORLD_SIZE, RANK,
    LOCAL_RANK and the address to meet at. They talk through NCCL on GPUs and gloo on CPUs.

    Args:
        count: How many devices are expected, `None` for all there are.
        model_parallel: Must be 1: kernels are not divided on torch.

    Attributes:
        count: Devices in all.
        process: Number of this process, from 0.
        processes: Number of processes.
        names: The devices of this process.

    Raises:
        ValueError: If this is not the number of processes, or there are more of them than GPUs.
    """

    def __init__(self, count: int | None = None, model_parallel: int = 1) -> None:
        """Meets the other processes."""
        refuse_model_parallel(model_parallel, "torch")
        world = int(os.environ.get("WORLD_SIZE", "1"))
        gpus = torch.cuda.device_count()
        if world == 1 and count is None and gpus > 1:
            count = gpus
        if count not in (None, world):
            raise ValueError(
                "`devices` must be the number of processes that torchrun has started, such as "
                f"`torchrun --nproc-per-node={count} train.py`. "
                f"Received: devices={count}, {world} process{'es' * (world > 1)}"
            )
        self.count = self.processes = world
        self.process = int(os.environ.get("RANK", "0"))
        self.here = range(self.process, self.process + 1)
        local = int(os.environ.get("LOCAL_RANK", "0"))
        if gpus and local >= gpus:
            raise ValueError(
                f"`devices` must be at most the GPUs of this machine. Received: process {local} of "
                f"this machine, which has {gpus}"
            )
        self.names = (f"cuda:{local}" if gpus else "cpu",)
        if gpus:
            torch.cuda.set_device(local)
        if world > 1 and not dist.is_initialized():
            dist.init_process_group("nccl" if gpus else "gloo")
        # Numbers of the host need not wait for the GPU.
        self._host = dist.new_group(backend="gloo") if world > 1 and gpus else None

    def own_rows(self, total: int) -> np.ndarray:
        """Returns the numbers of the rows that this process has to read.

        Args:
            total: Rows of every batch.
        """
        return np.arange(total)[self.deal(total)[0]]

    def own_batches(self, batch: Any) -> list[Any]:
        """Returns what each device of this process is given: all that the process has read.

        Args:
            batch: Arrays, rows of `own_rows`.
        """
        return [batch]

    def gather(self, number: int) -> list[int]:
        """Returns the numbers of all processes, which all have to ask; also a barrier."""
        if self.processes == 1:
            return [number]
        numbers = [torch.zeros((), dtype=torch.int64) for _ in range(self.processes)]
        dist.all_gather(numbers, torch.tensor(number), group=self._host)
        return [int(value) for value in numbers]

    @contextlib.contextmanager
    def counted_together(self, model: keras.Model) -> Iterator[None]:
        """Gives metrics what all processes have counted, for as long as the block lasts.

        All processes have to enter it.

        Args:
            model: A compiled model.
        """
        variables = model.metrics_variables
        if self.count == 1 or not variables:
            yield
            return
        before = [variable.value.clone() for variable in variables]
        flat = torch.cat([value.double().flatten() for value in before])
        dist.all_reduce(flat)
        for variable, part in zip(variables, _split(flat, before), strict=True):
            variable.assign(part.to(variable.value.dtype))
        try:
            yield
        finally:
            for variable, value in zip(variables, before, strict=True):
                variable.assign(value)

    def leave_counts_to_first(self, model: keras.Model) -> None:
        """Lets what metrics of all processes were given count once: in the first.

        Args:
            model: A compiled model.
        """
        if self.process:
            model.reset_metrics()

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """Makes every `fit` and `evaluate` inside one of all processes."""
        if self.count == 1:
            yield
            return
        model = keras.Model
        replaced = {name: getattr(self, f"_{name}")(getattr(model, name)) for name in _REPLACED}
        with patched(model, **replaced):
            yield

    def _fit(self, fit):
        def fit_own_rows(model, *arguments, **options):
            given = bind(fit, model, *arguments, **options)
            del given["self"]
            if model.jit_compile:
                raise ValueError(
                    "`jit_compile` must be False on several devices of torch. Received: True"
                )
            self._equalise(model)
            given = own_fit_arguments(given, self, next_order(self.gather))
            given["x"] = _loader(given["x"])
            if given["validation_data"] is not None:
                given["validation_data"] = _loader(given["validation_data"])
            return fit(model, **given)

        return fit_own_rows

    def _evaluate(self, evaluate):
        def evaluate_own_rows(model, *arguments, **options):
            given = bind(evaluate, model, *arguments, **options)
            del given["self"]
            if not given.get("_use_cached_eval_dataset"):  # `fit` has its own rows already
                given = own_evaluate_arguments(given, self)
                given["x"] = _loader(given["x"])
            return evaluate(model, **given)

        return evaluate_own_rows

    def _train_step(self, step):
        def train_step(model, data):
            optimizer = model.optimizer
            apply, scale_loss = optimizer.apply, optimizer.scale_loss
            rows, share = self._rows(data)

            def apply_sum(grads, trainable_variables=None):
                variables = trainable_variables or optimizer._trainable_variables
                apply(self._add_up(grads, variables), trainable_variables)

            with (
                holding(rows),
                patched(
                    optimizer,
                    apply=apply_sum,
                    scale_loss=lambda loss: scale_loss(loss * share),
                ),
            ):
                return step(model, data)

        return train_step

    def _test_step(self, step):
        def test_step(model, data):
            with holding(self._rows(data)[0]):
                return step(model, data)

        return test_step

    def _get_metrics_result(self, result):
        def get_metrics_result(model):
            if held_rows() is not None:  # within a step: not shown, and counted at its end
                return result(model)
            with self.counted_together(model):
                return result(model)

        return get_metrics_result

    def _rows(self, data: Any) -> tuple[Rows, float]:
        """The rows of a step, and which share of all they are."""
        here = next(part for part in keras.tree.flatten(data) if part is not None).shape[0]
        total = torch.tensor(here)
        dist.all_reduce(total, group=self._host)
        return Rows(self.process, self.count, int(total)), here / int(total)

    def _add_up(self, grads: Sequence[Any], variables: Sequence[Any]) -> list[Any]:
        """Sums of gradients over the processes; `None` stays where no process has one."""
        grads = [None if grad is None else grad.contiguous() for grad in grads]
        there = torch.tensor([grad is not None for grad in grads], dtype=torch.int32)
        there = there.to(variables[0].value.device)
        dist.all_reduce(there)
        found = there.tolist()
        summed = [
            torch.zeros_like(variable.value) if grad is None else grad
            for grad, variable, any_has in zip(grads, variables, found, strict=True)
            if any_has
        ]
        for message in _messages(summed):
            flat = torch.cat([grad.flatten() for grad in message])
            dist.all_reduce(flat)
            for grad, part in zip(message, _split(flat, message), strict=True):
                grad.copy_(part)
        left = iter(summed)
        return [next(left) if any_has else None for any_has in found]

    def _equalise(self, model: keras.Model) -> None:
        """Gives all processes the weights, random states and optimizer of the first."""
        optimizer = model.optimizer
        if not optimizer.built:
            optimizer.build(model.trainable_variables)
        for variable in [*model.variables, *optimizer.variables]:
            dist.broadcast(variable.value.data, 0)


class _Stream(torch.utils.data.IterableDataset):
    """Batches as PyTorch takes them; Keras starts it anew where a generator would go on."""

    def __init__(self, batches: Batches) -> None:
        self.batches = batches

    def __iter__(self):
        return iter(self.batches)


def _loader(batches: Batches) -> torch.utils.data.DataLoader:
    return torch.utils.data.DataLoader(_Stream(batches), batch_size=None)


_REPLACED = ("fit", "evaluate", "train_step", "test_step", "get_metrics_result")


def _messages(tensors: Sequence[torch.Tensor]) -> Iterator[list[torch.Tensor]]:
    """Tensors of one type together, up to a size."""
    message: list[torch.Tensor] = []
    for tensor in sorted(tensors, key=lambda tensor: str(tensor.dtype)):
        full = sum(other.numel() for other in message) + tensor.numel() > _MESSAGE
        if message and (full or message[0].dtype != tensor.dtype):
            yield message
            message = []
        message.append(tensor)
    if message:
        yield message


def _split(flat: torch.Tensor, like: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    parts = flat.split([tensor.numel() for tensor in like])
    return [part.view(tensor.shape) for part, tensor in zip(parts, like, strict=True)]
