"""GPU work in the order in which it was recorded, to be done again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from keras import tree

__all__ = ["Graph", "Tape"]


class Graph(Protocol):
    """Operations that are recorded once and then done as often as `replay` is called."""

    def begin(self) -> None:
        """Records what follows, without doing it."""

    def end(self) -> None:
        """No longer."""

    def replay(self) -> None:
        """Does what was recorded, with what lies in the same memory now."""


class Tape:
    """Graphs one after another, and choices between two of them.

    Args:
        new_graph: Makes an empty graph.
    """

    def __init__(self, new_graph: Callable[[], Graph]) -> None:
        """Makes an empty one."""
        self._new_graph = new_graph
        self._parts: list[Callable[[], None]] = []
        self._open: Graph | None = None

    def begin(self) -> None:
        """Records what follows."""
        self._open = self._new_graph()
        self._open.begin()

    def end(self) -> None:
        """Records no longer."""
        graph, self._open = self._open, None
        if graph is not None:
            graph.end()
            self._parts.append(graph.replay)

    def replay(self) -> None:
        """Does all that was recorded."""
        for part in self._parts:
            part()

    def choose(self, condition: torch.Tensor, functions: Sequence[Callable[[Tape], Any]]) -> Any:
        """Records both functions, of which one is done at a replay.

        Args:
            condition: A boolean scalar, which a replay waits for.
            functions: If it is true, and if not. They are given the tape they are recorded on, and
                return tensors of the same shapes.

        Returns:
            Tensors that hold what the function that was done returned.

        Raises:
            ValueError: If they return tensors with gradients, or not the same kind of thing.
        """
        self.end()
        kept: Any = None
        tapes = [Tape(self._new_graph) for _ in functions]
        for tape, function in zip(tapes, functions, strict=True):
            tape.begin()
            try:
                result = function(tape)
                if any(tensor.requires_grad for tensor in _tensors(result)):
                    raise ValueError("A choice with gradients cannot be recorded.")
                if tape is tapes[0]:
                    kept = tree.map_structure(lambda x: None if x is None else x.clone(), result)
                else:
                    for to, tensor in zip(_tensors(kept), _tensors(result), strict=True):
                        to.copy_(tensor)
            finally:
                tape.end()
        yes, no = tapes
        self._parts.append(lambda: (yes if condition else no).replay())
        self.begin()
        return kept


def _tensors(result: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree.flatten(result) if leaf is not None]
