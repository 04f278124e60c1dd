"""The graphs of CUDA, and what they share."""

import contextlib
import gc
from collections.abc import Iterator, Sequence
from typing import Any

import torch

__all__ = ["CudaGraph", "CudaGraphs"]


class CudaGraph:
    """A graph of CUDA, on the current stream.

    Args:
        pool: Memory that it shares with other graphs, none of which needs what another one left.
        generators: Random generators that are used in it.
    """

    def __init__(self, pool: Any, generators: Sequence[torch.Generator]) -> None:
        """Makes an empty one."""
        self._graph, self._pool = torch.cuda.CUDAGraph(), pool
        for generator in generators:
            self._graph.register_generator_state(generator)

    def begin(self) -> None:
        """Records what follows, without doing it."""
        # Other threads, which callbacks run in, may wait for the GPU meanwhile.
        self._graph.capture_begin(pool=self._pool, capture_error_mode="thread_local")

    def end(self) -> None:
        """No longer."""
        self._graph.capture_end()

    def replay(self) -> None:
        """Does what was recorded, with what lies in the same memory now."""
        self._graph.replay()


class CudaGraphs:
    """Makes graphs that share memory, on a stream of their own."""

    def __init__(self) -> None:
        """Makes the stream."""
        self._stream, self._pool = torch.cuda.Stream(), torch.cuda.graph_pool_handle()

    def __call__(self, generators: Sequence[torch.Generator]) -> CudaGraph:
        """Makes an empty graph that uses these generators."""
        return CudaGraph(self._pool, generators)

    @contextlib.contextmanager
    def stream(self) -> Iterator[None]:
        """What is recorded must be done on the same stream before, as PyTorch asks for."""
        before = torch.cuda.current_stream()
        self._stream.wait_stream(before)
        try:
            with torch.cuda.stream(self._stream):
                yield
        finally:
            before.wait_stream(self._stream)

    def tidy(self) -> None:
        """Frees what nobody uses: not while something is recorded."""
        torch.cuda.synchronize()
        gc.collect()
        torch.cuda.empty_cache()

    def have_room(self) -> bool:
        """Whether there is memory for a recorded step, and for one that is done as ever beside it.

        What a recorded step has used stays taken. Such steps have been done before.
        """
        used = torch.cuda.max_memory_allocated() - torch.cuda.memory_allocated()
        return torch.cuda.mem_get_info()[0] >= 2 * used

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return torch.device("cuda", torch.cuda.current_device())
