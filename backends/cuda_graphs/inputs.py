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
        self._turn = 0
        self._staged: list[_Staged] = []
        if device.type == "cuda":
            self._staged = [_Staged(batch) for _ in range(2)]

    def fill(self, batch: Sequence[torch.Tensor]) -> None:
        """Copies a batch; one from the host while the device is still at work on the last."""
        if self._staged:
            self._turn = 1 - self._turn
            self._staged[self._turn].send(batch, self.tensors)
        else:
            for tensor, new in zip(self.tensors, batch, strict=True):
                tensor.copy_(new)


class _Staged:
    """Memory of the host that a GPU reads by itself."""

    def __init__(self, batch: Sequence[torch.Tensor]) -> None:
        self._pinned = [
            torch.empty_like(tensor, pin_memory=True) if tensor.device.type == "cpu" else None
            for tensor in batch
        ]
        self._read = torch.cuda.Event()

    def send(self, batch: Sequence[torch.Tensor], tensors: Sequence[torch.Tensor]) -> None:
        self._read.synchronize()
        for pinned, new, tensor in zip(self._pinned, batch, tensors, strict=True):
            if pinned is not None and new.device.type == "cpu":
                new = pinned.copy_(new)
            tensor.copy_(new, non_blocking=True)
        self._read.record()
