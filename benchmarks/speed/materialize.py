"""From a template to a ready model, and the cold start of `sweet init`."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .clock import now
from .interleave import in_turns, judge
from .networks import template_encoder
from .request import Request
from .sizes import SIZES

COLD = "sweet-init"  # as a size: the command in a process of its own


def measure(request: Request) -> list[tuple[dict, dict]]:
    """A row for one size made from a template of ViT-B, such as `L6H6`, or for `sweet-init`."""
    import sweet_keras as sk

    template = template_encoder(SIZES["base"], frozenset(), 6272).template()
    if request.size == COLD:
        return [_cold_start(request, template)]

    def ours() -> float:
        began = now()
        sk.materialize(template, request.size)
        return now() - began

    def peer() -> float:
        began = now()
        sk.ViTBackbone(request.size)
        return now() - began

    ours(), peer()
    pairs = in_turns(ours, peer, request.repeats)
    result = judge(pairs)
    row = request.row("s", result.ours, result.peer, result, "the network, random")
    return [(row, {"pairs": len(pairs), "seconds": pairs, "template": "L12H12, heads of 64"})]


def _cold_start(request: Request, template) -> tuple[dict, dict]:
    """Wall time always: what a user waits for."""

    def seconds(*line: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, *line], check=True, capture_output=True)  # noqa: S603
        return time.perf_counter() - began

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.sweet"
        template.save(path)
        made = (str(Path(folder) / f"made-{i}.keras") for i in range(1000))
        pairs = in_turns(
            lambda: seconds("-c", "from sweet_keras.cli import main; main()", "init", str(path),
                            "--size", "L6H6", "--out", next(made)),
            lambda: seconds("-c", "import keras; keras.ops.ones(1)"),
            min(5, request.repeats),
        )  # fmt: skip
    result = judge(pairs)
    row = request.row("s", result.ours, result.peer, result, "import keras")
    return row, {"pairs": len(pairs), "seconds": pairs, "command_timed": "sweet init --size L6H6"}
