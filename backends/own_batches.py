"""From the batches of all devices to those of one process."""

import inspect
import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np

__all__ = [
    "OwnRows",
    "bind",
    "next_order",
    "own_evaluate_arguments",
    "own_fit_arguments",
    "take",
]


class Dealer(Protocol):
    """The devices, as far as batches are concerned."""

    def deal(self, total: int) -> list[slice]:
        """Which rows of a whole batch each device of this process has."""

    def own_batches(self, batch: Any) -> list[Any]:
        """What each device of this process is given of the rows that the process has read."""


class OwnRows:
    """Batches of which this process has read its own rows only.

    Args:
        batches: An iterable of them.
    """

    def __init__(self, batches: Any) -> None:
        """Keeps the batches."""
        self.batches = batches

    def __iter__(self) -> Iterator[Any]:
        """Starts the batches."""
        return iter(self.batches)


def bind(function: Callable, *arguments: Any, **options: Any) -> dict[str, Any]:
    """Returns all arguments of a call by name, defaults included."""
    bound = inspect.signature(function).bind(*arguments, **options)
    bound.apply_defaults()
    by_name = dict(bound.arguments)
    return by_name.pop("kwargs", {}) | by_name


def next_order(gather: Callable[[int], list[int]]) -> int:
    """Returns a seed for the order of arrays: new at every call, the same in all processes.

    Python's generator is left as it was, for what is made after a `fit` not to depend on devices.

    Args:
        gather: From a number to those of all processes.
    """
    state = random.getstate()
    seed = gather(random.getrandbits(31) + next(_orders))[0]
    random.setstate(state)
    return seed


_orders = itertools.count()


def take(part: Any, rows: slice) -> Any:
    """Returns some rows of an array, or of all arrays in a nest of them."""
    if isinstance(part, Mapping):
        return {name: take(value, rows) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return tuple(take(value, rows) for value in part)
    return None if part is None else part[rows]


def own_fit_arguments(given: Mapping[str, Any], devices: Dealer, seed: int) -> dict[str, Any]:
    """Puts this process's batches into the arguments of `keras.Model.fit`.

    Args:
        given: The arguments by name, without the model.
        devices: Deal the rows.
        seed: Of the order of arrays, the same in every process.

    Returns:
        The arguments, `x` a generator of tuples: a batch for each device of this process in turn.

    Raises:
        ValueError: If a data set comes without the number of its steps, with `validation_split`, or
            if there are fewer rows than devices.
    """
    given = dict(given)
    if given["validation_split"]:
        raise ValueError(
            "`validation_split` must be 0 on several devices; pass `validation_data`. "
            f"Received: validation_split={given['validation_split']}"
        )
    data = given["x"], given["y"], given["sample_weight"]
    batches, steps = _batches(*data, given["batch_size"], given["shuffle"], seed)
    steps = given["steps_per_epoch"] or _known(steps, "steps_per_epoch")
    given |= {"x": _dealt(batches, data[0], devices), "y": None, "sample_weight": None}
    given |= {"batch_size": None, "shuffle": False, "steps_per_epoch": steps}
    if given["validation_data"] is not None:
        validation = given["validation_data"]
        parts = validation if isinstance(validation, tuple) else (validation,)
        parts = (*parts, None, None)[:3]
        size = given["validation_batch_size"] or given["batch_size"]
        batches, steps = _batches(*parts, size, False, seed)
        steps = given["validation_steps"] or _known(steps, "validation_steps")
        given |= {"validation_data": _dealt(batches, parts[0], devices), "validation_steps": steps}
        given["validation_batch_size"] = None
    return given


def own_evaluate_arguments(given: Mapping[str, Any], devices: Dealer) -> dict[str, Any]:
    """Puts this process's batches into the arguments of `keras.Model.evaluate`.

    Args:
        given: The arguments by name, without the model.
        devices: Deal the rows.

    Raises:
        ValueError: As for `own_fit_arguments`.
    """
    given = dict(given)
    data = given["x"], given["y"], given["sample_weight"]
    batches, steps = _batches(*data, given["batch_size"], False, 0)
    steps = given["steps"] or _known(steps, "steps")
    given |= {"x": _dealt(batches, data[0], devices), "y": None, "sample_weight": None}
    return given | {"batch_size": None, "steps": steps}


def _known(steps: int | None, name: str) -> int:
    if steps is None:
        raise ValueError(
            f"`{name}` must be given with a data set on several devices. Received: {name}=None"
        )
    return steps


def _batches(
    x: Any, y: Any, sample_weight: Any, batch_size: int | None, shuffle: Any, seed: int
) -> tuple[Iterator[tuple], int | None]:
    """Endless batches as tuples, and how many are one pass, if that is known."""
    if _is_array(x):
        parts = tuple(part for part in (x, y, sample_weight) if part is not None)
        count, size = _rows(x), batch_size or 32
        return _slices(parts, count, size, shuffle, seed), -(-count // size)
    return _as_tuples(x), len(x) if hasattr(x, "__len__") else None


def _as_tuples(x: Any) -> Iterator[tuple]:
    while True:
        done = True
        for batch in x:
            done = False
            yield batch if isinstance(batch, tuple) else (batch,)
        if done:  # what can be read once only has been read
            return


def _slices(parts: tuple, count: int, size: int, shuffle: bool, seed: int) -> Iterator[tuple]:
    for epoch in itertools.count():
        order = np.arange(count)
        if shuffle:
            order = np.random.default_rng((seed, epoch)).permutation(count)
        for start in range(0, count, size):
            yield tuple(take(part, order[start : start + size]) for part in parts)


def _dealt(batches: Iterator[tuple], x: Any, devices: Dealer) -> Iterator[tuple]:
    for batch in batches:
        if isinstance(x, OwnRows):
            yield from devices.own_batches(batch)
        else:
            yield from (take(batch, rows) for rows in devices.deal(_rows(batch[0])))


def _is_array(x: Any) -> bool:
    if isinstance(x, Mapping):
        return all(_is_array(value) for value in x.values())
    if isinstance(x, list | tuple):
        return bool(x) and all(_is_array(value) for value in x)
    return hasattr(x, "shape")


def _rows(part: Any) -> int:
    if isinstance(part, Mapping):
        part = tuple(part.values())
    while isinstance(part, list | tuple):
        part = part[0]
    return int(part.shape[0])
