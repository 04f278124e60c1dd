"""Where a recorded step finds its batch."""

from collections.abc import Sequence

import torch

__all__ = ["Inputs"]


class Inputs:
    """Tensors on the device that each batch is copied to.

    Args:
        batch: Tensors of the shapes and types to come.
        device: Where they go.

    Attributes:
        tensors: What a step is recorded with.
    """

    def __init__(self, batch: Sequence[torch.Tensor], device: torch.device) -> None:
        """Makes them, with their contents yet to come."""
        self.tensors = [torch.empty_like(tensor, device=device) for tensor in batch]
        self._ways: list[_Way] = []
        if device.type == "cuda" and any(tensor.device.type == "cpu" for tensor in batch):
            stream = torch.cuda.Stream()
            self._ways = [_Way(self.tensors, stream) for _ in range(2)]
            stream.wait_stream(torch.cuda.current_stream())  # which may still use that memory

    def fill(self, batch: Sequence[torch.Tensor]) -> None:
        """Copies a batch; what comes from the host travels while the device works on the last."""
        if self._ways:
            self._ways.reverse()
            batch = self._ways[0].send(batch)
        for tensor, new in zip(self.tensors, batch, strict=True):
            tensor.copy_(new)
        if self._ways:
            self._ways[0].arrived()


class _Way:
    """Memory of the host that a GPU reads by itself, and memory of the GPU to put it."""

    def __init__(self, like: Sequence[torch.Tensor], stream: torch.cuda.Stream) -> None:
        self._pinned = [torch.empty_like(t, device="cpu", pin_memory=True) for t in like]
        self._there = [torch.empty_like(t) for t in like]
        self._stream, self._free = stream, torch.cuda.Event()

    def send(self, batch: Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
        """Returns the batch on the device; what follows on the current stream waits for it."""
        self._free.synchronize()  # two batches ago
        with torch.cuda.stream(self._stream):
            for new, pinned, there in zip(batch, self._pinned, self._there, strict=True):
                there.copy_(pinned.copy_(new), non_blocking=True)
        torch.cuda.current_stream().wait_stream(self._stream)
        return self._there

    def arrived(self) -> None:
        """What was sent is no longer needed, once the current stream has come here."""
        self._free.record()
