"""What a step does beside arithmetic: constants it makes, random numbers and choices it draws."""

import contextlib
import functools
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import torch
from keras.src.backend.torch import core as keras_core
from keras.src.backend.torch import numpy as keras_numpy
from keras.src.backend.torch import random as keras_random
from torch.overrides import TorchFunctionMode
from torch.utils.checkpoint import checkpoint

from ..patched import patched
from .seeds import next_seed
from .tape import Tape

__all__ = ["Choice", "Recording", "current"]

# (how many there are, the generator that draws one of them)
Choice = tuple[int, Any]

# Functions of torch, by name, that draw: from its own generator what Keras gives no seed for.
_RANDOM = {"bernoulli", "bernoulli_", "dropout", "dropout_", "normal", "normal_", "rand", "randn"}

_current: list["Recording"] = []


def current() -> "Recording | None":
    """Returns the recording that is going on."""
    return _current[-1] if _current else None


class Recording:
    """While it is entered, notes what a step draws, or hands out what was drawn for it.

    Numbers and arrays of the host that become tensors are made on the device: a graph cannot copy
    them from the host, and they are the same in each step.

    Args:
        constants: Arrays that were seen, on the device; grows.
        given: Which of each choice is taken, in order; others are drawn.
        tape: Where the step is recorded, `None` if it is done.
        generators: With a tape: one for each seed that the step asks for.

    Attributes:
        choices: What there was to choose.
        chosen: Which was taken.
        seeds: What was asked for a seed, in order.
    """

    def __init__(
        self,
        constants: dict,
        given: Sequence[tuple[Choice, int]] = (),
        tape: Tape | None = None,
        generators: Sequence[torch.Generator] = (),
    ) -> None:
        """Keeps the arguments."""
        self.choices: list[Choice] = []
        self.chosen: list[int] = []
        self.seeds: list[Any] = []
        self._given, self._tape, self._generators = given, tape, generators
        self._constants = constants
        self._thread = threading.get_ident()

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Records what is done in the block."""
        generator = self._generator(keras_random.torch_seed_generator)
        with contextlib.ExitStack() as stack:
            stack.enter_context(patched(keras_random, torch_seed_generator=generator))
            stack.enter_context(patched(keras_numpy, split=_split(keras_numpy.split)))
            if self._tape is not None:
                cond = self._cond(self._tape)
                stack.enter_context(patched(keras_core, cond=cond, remat=self._remat))
            _current.append(self)
            stack.callback(_current.pop)
            stack.enter_context(_OnDevice(self._constants, may_add=self._tape is None))
            yield

    def choose(self, count: int, seed: Any) -> int:
        """Returns which of so many is taken.

        Args:
            count: How many there are.
            seed: The `keras.random.SeedGenerator` that draws it.
        """
        position = len(self.choices)
        self.choices.append((count, seed))
        if position < len(self._given) and self._given[position][0] == (count, seed):
            index = self._given[position][1]
        elif self._tape is None:
            index = draw(count, seed)
        else:
            raise RuntimeError("A step that is recorded chose something else than before.")
        self.chosen.append(index)
        return index

    def _remat(self, function: Callable) -> Callable:
        """`keras.remat`, which asks the GPU for the state of its random numbers."""

        def run(*arguments):
            # The gradient runs it again, in a thread of its own.
            with _OnDevice(self._constants, may_add=False, may_draw=False):
                return function(*arguments)

        return functools.partial(checkpoint, run, use_reentrant=False, preserve_rng_state=False)

    def _generator(self, make: Callable) -> Callable[[Any], Any]:
        def generator(seed):
            other = threading.get_ident() != self._thread  # one that reads images, say
            if other or keras_core.get_device() == "meta":
                return make(seed)
            position = len(self.seeds)
            self.seeds.append(seed)
            return make(seed) if self._tape is None else self._generators[position]

        return generator

    def _cond(self, tape: Tape) -> Callable:
        def cond(pred, true_fn, false_fn):
            if not _is_tensor(pred) or threading.get_ident() != self._thread:
                return true_fn() if pred else false_fn()
            return tape.choose(pred, (within(true_fn), within(false_fn)))

        def within(function):
            def record(inner: Tape):
                with patched(keras_core, cond=self._cond(inner)):
                    return function()

            return record

        return cond


class _OnDevice(TorchFunctionMode):
    """Makes what comes from the host on the device."""

    def __init__(self, constants: dict, may_add: bool, may_draw: bool = True) -> None:
        super().__init__()
        self._constants, self._may_add, self._may_draw = constants, may_add, may_draw

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if not self._may_draw and getattr(func, "__name__", "") in _RANDOM:
            raise RuntimeError("What is computed again would draw other random numbers.")
        if func in (torch.as_tensor, torch.tensor) and args and not _is_tensor(args[0]):
            return self._constant(func, *args, **kwargs)
        if func is torch._foreach_add_ and _is_tensor(kwargs.get("alpha")):
            # As Keras' SGD does: the learning rate would have to go to the host.
            tensors, others = args
            return func(tensors, torch._foreach_mul(others, kwargs["alpha"]))
        return func(*args, **kwargs)

    def _constant(self, make: Callable, data: Any, **options: Any) -> torch.Tensor:
        if isinstance(data, (bool, int, float)):
            return torch.full((), data, **options)
        if isinstance(data, (list, tuple)) and any(_is_tensor(part) for part in data):
            return make(data, **options)
        array = np.asarray(data)
        key = (array.dtype.str, array.shape, array.tobytes(), *sorted(map(str, options.items())))
        if key not in self._constants:
            if not self._may_add:
                raise RuntimeError("A step that is recorded made another array than before.")
            self._constants[key] = make(data, **options)
        return self._constants[key].clone()  # what is made of it may change it


def draw(count: int, seed: Any) -> int:
    """Draws what `torch.switch.draw` does, without waiting for the GPU that has the seed."""
    generator = torch.Generator().manual_seed(next_seed(seed))
    return min(int(torch.rand(1, generator=generator) * count), count - 1)


def _split(split: Callable) -> Callable:
    """`keras.ops.split`, which asks the device where to, although the host has said it."""

    def without_asking(x, indices_or_sections, axis=0):
        if isinstance(indices_or_sections, int):
            return split(x, indices_or_sections, axis)
        ends = [0, *map(int, indices_or_sections), x.shape[axis]]
        return list(torch.split(x, [b - a for a, b in itertools.pairwise(ends)], dim=axis))

    return without_asking


def _is_tensor(value: Any) -> bool:
    return isinstance(value, (torch.Tensor, keras.Variable))
