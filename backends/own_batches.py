"""From the batches of all devices to those of one process."""

import inspect
import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np

__all__ = [
    "Batches",
    "OwnRows",
    "batch_size_for",
    "bind",
    "next_order",
    "own_evaluate_arguments",
    "own_fit_arguments",
    "take",
]


class Dealer(Protocol):
    """The devices, as far as batches are concerned."""

    count: int

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


def batch_size_for(count: int, batch_size: int, devices: int) -> int:
    """Returns a batch size whose last batch has a row for each device, if there are so many rows.

    For measuring, where the mean over all rows does not depend on how they are batched.

    Args:
        count: Rows in all.
        batch_size: The size wanted; the nearest smaller one is taken, or else the nearest larger.
        devices: Number of devices.
    """
    sizes = (*range(batch_size, devices - 1, -1), *range(batch_size, count + 1))
    return next((size for size in sizes if not 0 < count % size < devices), batch_size)


def take(part: Any, rows: slice | np.ndarray) -> Any:
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
        The arguments, `x` and `validation_data` as `Batches`, with the number of steps.

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
    size = given["batch_size"]
    batches = Batches(*data, size, devices, seed if given["shuffle"] else None)
    steps = given["steps_per_epoch"] or batches.known_steps("steps_per_epoch")
    given |= {"x": batches, "y": None, "sample_weight": None, "batch_size": None}
    given |= {"shuffle": False, "steps_per_epoch": steps}
    if given["validation_data"] is not None:
        parts = given["validation_data"]
        parts = (*(parts if isinstance(parts, tuple) else (parts,)), None, None)[:3]
        held = Batches(*parts, given["validation_batch_size"] or size, devices, measured=True)
        steps = given["validation_steps"] or held.known_steps("validation_steps")
        given |= {"validation_data": held, "validation_steps": steps}
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
    data = given["x"], given["y"], given["sample_weight"]
    batches = Batches(*data, given["batch_size"], devices, measured=True)
    steps = given["steps"] or batches.known_steps("steps")
    replaced = {"x": batches, "y": None, "sample_weight": None, "batch_size": None}
    return {**given, **replaced, "steps": steps}


class Batches:
    """Endless tuples of arrays: a batch for each device of this process in turn.

    Args:
        x: Arrays, or a data set of batches: anything that can be iterated.
        y: Arrays, or `None`.
        sample_weight: Arrays, or `None`.
        batch_size: Rows of a whole batch of arrays.
        devices: Deal the rows.
        seed: Of the order of arrays, another one in each pass; in the order given without it.
        measured: Whether arrays may come in smaller batches, see `batch_size_for`.
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        batch_size: int | None,
        devices: Dealer,
        seed: int | None = None,
        measured: bool = False,
    ) -> None:
        """Keeps the arguments."""
        self._x, self._devices, self._seed = x, devices, seed
        self._size = batch_size or 32
        self._arrays = ()
        if _is_array(x):
            self._arrays = tuple(part for part in (x, y, sample_weight) if part is not None)
            if measured:
                self._size = batch_size_for(_rows(x), self._size, devices.count)
            if _rows(x) % self._size:
                devices.deal(_rows(x) % self._size)  # refused now, not after an epoch
        self._started: tuple[list, Iterator[tuple]] | None = None

    def known_steps(self, name: str) -> int:
        """Returns how many whole batches are one pass.

        Args:
            name: Of the argument that says it otherwise, for the error.

        Raises:
            ValueError: If the data set does not say.
        """
        if self._arrays:
            return -(-_rows(self._x) // self._size)
        if not hasattr(self._x, "__len__"):
            raise ValueError(
                f"`{name}` must be given with a data set on several devices. Received: {name}=None"
            )
        return len(self._x)

    def first(self) -> tuple:
        """Returns the first batch, which stays the first."""
        return next(iter(self))

    def __iter__(self) -> Iterator[tuple]:
        """Starts anew; with what can be read once only, goes on after the first batch again.

        Keras does so too: it looks at the first batch before it trains.
        """
        if not isinstance(self._x, Iterator):
            return self._dealt()
        if self._started is None:
            dealt = self._dealt()
            self._started = list(itertools.islice(dealt, 1)), dealt
        return itertools.chain(*self._started)

    def _dealt(self) -> Iterator[tuple]:
        for batch in self._sliced() if self._arrays else self._read():
            if isinstance(self._x, OwnRows):
                yield from self._devices.own_batches(batch)
            else:
                yield from (take(batch, rows) for rows in self._devices.deal(_rows(batch[0])))

    def _read(self) -> Iterator[tuple]:
        while True:
            done = True
            numbered = hasattr(self._x, "__getitem__") and hasattr(self._x, "__len__")
            for batch in map(self._x.__getitem__, range(len(self._x))) if numbered else self._x:
                done = False
                yield batch if isinstance(batch, tuple) else (batch,)
            if done:  # what can be read once only has been read
                return

    def _sliced(self) -> Iterator[tuple]:
        count = _rows(self._x)
        for epoch in itertools.count():
            order = np.arange(count)
            if self._seed is not None:
                order = np.random.default_rng((self._seed, epoch)).permutation(count)
            for start in range(0, count, self._size):
                rows = order[start : start + self._size]
                yield tuple(take(part, rows) for part in self._arrays)


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
