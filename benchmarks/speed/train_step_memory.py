"""The most memory that a step of pre-training takes, each in a process of its own."""

import subprocess
import sys

from .interleave import in_turns, judge
from .machine import ROOT
from .request import Request
from .sizes import parse


def measure(request: Request) -> list[tuple[dict, dict]]:
    """One row: MiB of model, optimizer and a step beyond what the imports take."""

    def probe(kind: str) -> float:
        line = [sys.executable, "-m", "benchmarks.speed.memory_probe", kind, request.backend,
                request.size, str(request.batch), request.device, str(request.threads)]  # fmt: skip
        done = subprocess.run(line, check=True, capture_output=True, text=True, cwd=ROOT)  # noqa: S603
        return float(done.stdout.split()[-1])

    size, _ = parse(request.size)
    pairs = in_turns(lambda: probe("ours"), lambda: probe("peer"), min(3, request.repeats))
    result = judge(pairs)
    row = request.row("MiB", result.ours, result.peer, result, "plain kernels")
    about = {"pairs": len(pairs), "mebibytes": pairs, "network": size.vit,
             "image_shape": size.image_shape}  # fmt: skip
    return [(row, about)]
