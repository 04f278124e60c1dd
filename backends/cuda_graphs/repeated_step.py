"""A training step that is recorded when it comes again, and replayed from then on."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import keras
import torch
from keras import tree

from .inputs import Inputs
from .recording import Choice, Recording, draw
from .seeds import next_seed
from .tape import Tape

__all__ = ["RepeatedStep"]

# Shapes of a batch, and choices: more of them are not recorded.
_MOST = 64


class RepeatedStep:
    """Does what a step of `keras.Model` does, from its second time on by replaying graphs.

    The first batch of a shape is trained on as ever, while constants, draws and choices are noted.
    The second one is recorded. A step that draws a sub-network has a graph for each.

    What Python decides within a step is decided once, as in a step that JAX or TensorFlow compiles:
    `model.make_train_function(force=True)` begins anew. A step that cannot be recorded is done as
    ever, with one warning.

    Args:
        model: A compiled model.
        step: Keras' training function of it.
        graphs: Makes graphs.
    """

    def __init__(self, model: keras.Model, step: Callable[[Any], Any], graphs: Any) -> None:
        """Keeps the arguments."""
        self._model, self._step, self._graphs = model, step, graphs
        self._possible = True
        self._constants: dict = {}  # known by what is in them, whatever begins anew
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._choices: list[Choice] = []
        self._seeds: dict[tuple, list] = {}
        self._programs: dict[tuple, _Program] = {}
        self._inputs: dict[tuple, Inputs] = {}

    @property
    def recorded(self) -> set[tuple]:
        """What there are graphs for: shapes and types of a batch, and what was chosen."""
        return set(self._programs)

    def __call__(self, data: Any) -> Any:
        """Trains on a batch, and returns the logs."""
        leaves = tree.flatten(data)
        if not self._possible or not all(isinstance(leaf, torch.Tensor) for leaf in leaves):
            return self._step(data)
        shapes = tuple((leaf.shape, leaf.dtype) for leaf in leaves)
        given = [(choice, draw(*choice)) for choice in self._choices]
        key = (shapes, *(index for _, index in given))
        program = self._programs.get(key)
        if program is not None and not program.fits():
            self._begin_anew()
            program = None
        elif program is None and key in self._seeds and len(self._programs) < _MOST:
            program = self._record(data, leaves, shapes, key, given)
        return self._note(data, shapes, given) if program is None else program.run(leaves)

    def _note(self, data: Any, shapes: tuple, given: Sequence) -> Any:
        """Does the step as ever."""
        recording = Recording(self._constants, given)
        with self._graphs.stream(), recording.entered():
            logs = self._step(data)
        if self._choices != recording.choices:
            self._begin_anew()
            self._choices = recording.choices
        self._seeds[(shapes, *recording.chosen)] = recording.seeds
        return logs

    def _record(self, data, leaves, shapes, key, given) -> "_Program | None":
        self._graphs.tidy()
        if not self._programs and not self._graphs.have_room():
            return self._give_up("there is not enough memory for it")
        device = self._graphs.device
        if shapes not in self._inputs:
            self._inputs[shapes] = Inputs(leaves, device)
        inputs = self._inputs[shapes]
        inputs.fill(leaves)
        generators = [torch.Generator(device) for _ in self._seeds[key]]
        tape = Tape(lambda: self._graphs(generators))
        recording = Recording(self._constants, given, tape, generators)
        try:
            with self._graphs.stream(), recording.entered():
                tape.begin()
                try:
                    logs = self._step(tree.pack_sequence_as(data, inputs.tensors))
                finally:
                    tape.end()
        except Exception as error:
            return self._give_up(error)
        drawn = list(zip(self._seeds[key], generators, strict=True))
        self._programs[key] = _Program(self._model, inputs, tape, drawn, logs)
        return self._programs[key]

    def _give_up(self, reason: Any) -> None:
        self._possible = False
        self._begin_anew()
        warnings.warn(
            f"Training steps of {self._model.name} are not repeated as CUDA graphs, which would "
            f"be faster: {reason}",
            stacklevel=3,
        )


class _Program:
    """A step as it was recorded, and what it needs from outside."""

    def __init__(
        self, model: keras.Model, inputs: Inputs, tape: Tape, drawn: list, logs: Any
    ) -> None:
        self._inputs, self._tape, self._drawn, self._logs = inputs, tape, drawn, logs
        self._model, self._optimizer = model, model.optimizer
        variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
        self._held = [(variable, variable._value) for variable in variables]

    def fits(self) -> bool:
        """Whether the optimizer is the same, and all variables are still where they were."""
        return self._model.optimizer is self._optimizer and all(
            variable._value is value for variable, value in self._held
        )

    def run(self, leaves: Sequence[torch.Tensor]) -> Any:
        self._inputs.fill(leaves)
        for seed, generator in self._drawn:
            generator.manual_seed(next_seed(seed))
        self._tape.replay()
        return tree.map_structure(lambda tensor: tensor.clone(), self._logs)
