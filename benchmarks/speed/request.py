"""What is to be measured, as the command line says it."""

from dataclasses import dataclass
from typing import Any

from .clock import now
from .fit_clock import fit_seconds
from .interleave import Contest
from .sizes import parse


@dataclass(frozen=True)
class Request:
    """One call of a benchmark."""

    benchmark: str
    backend: str = "torch"
    size: str = "small"
    batch: int = 128
    device: str = "cpu"
    threads: int = 1
    repeats: int = 7
    seconds: float = 2.0  # of one measurement
    peer: str = ""

    def steps(self, model: Any, batches: list) -> int:
        """Steps of `model` in one measurement, at least two. Compiles it."""
        once = fit_seconds(model, batches, 2)
        once()
        least = 2
        if "subnetworks" in parse(self.size)[1]:
            # About a dozen networks are drawn from: each is to come, on a GPU to come again, too.
            least = 100 if self.device == "gpu" else 22
        return max(least, round(self.seconds / once()))

    def calls(self, call) -> int:
        """Calls of a function in one measurement, at least one."""
        call()
        began = now()
        call()
        return max(1, round(self.seconds / (now() - began)))

    def row(
        self, unit: str, ours: float, peer: float, result: Contest, peer_name: str, **other: Any
    ) -> dict[str, Any]:
        """A row of the table."""
        return {
            "benchmark": self.benchmark,
            "backend": self.backend,
            "device": self.device,
            "size": self.size,
            "batch": self.batch,
            "ours": float(ours),
            "peer": float(peer),
            "peer_name": peer_name,
            "unit": unit,
            "ratio": float(result.ratio),
            "ratio_low": float(result.low),
            "ratio_high": float(result.high),
            **other,
        }
