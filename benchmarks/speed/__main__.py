"""The command line: one benchmark, or all of them one after another."""

import argparse
import importlib
import shlex
import sys
from pathlib import Path

from sweet_keras.runs.allocator import keep_memory

from . import clock, machine, plan, table
from .request import Request

# A module of this name each.
BENCHMARKS = ("train_step", "train_step_memory", "mae_vs_peer", "build_w", "materialize",
              "adapt_share", "input_pipeline", "finetune", "inference")  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Measures, and writes the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("benchmark", choices=[*BENCHMARKS, "all", "render"])
    parser.add_argument("--backend", default="torch", choices=["torch", "jax", "tensorflow"])
    parser.add_argument(
        "--size",
        default="small",
        help="small, tiny, base, large, with +VARIANT (see results/speed.md); for build_w and "
        "materialize L6H6 and the like, or sweet-init",
    )
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--device", default="cpu", choices=["cpu", "gpu"])
    parser.add_argument("--threads", type=int, default=machine.cores())
    parser.add_argument("--peer", default="", help="one of several, where there are")
    parser.add_argument(
        "--clock", default="wall", choices=clock.CLOCKS, help="cpu: processor time (busy machine)"
    )
    parser.add_argument(
        "--malloc",
        default="keep",
        choices=["keep", "default"],
        help="keep: freed memory stays with the process (`sk.keep_memory`), for the peer too",
    )
    parser.add_argument("--repeats", type=int, default=7, help="pairs")
    parser.add_argument("--quick", action="store_true", help="three short pairs")
    parser.add_argument("--again", action="store_true", help="all: also what is measured already")
    parser.add_argument("--list", action="store_true", help="all: say what would be measured")
    parser.add_argument("--results", type=Path, default=table.RESULTS)
    given = sys.argv[1:] if arguments is None else arguments
    options = parser.parse_args(given)
    if options.benchmark == "render":
        table.render(options.results)
        return
    if options.benchmark == "all":
        plan.run_all(options)
        return
    request = Request(
        options.benchmark,
        options.backend,
        options.size,
        options.batch,
        options.device,
        options.threads,
        min(3, options.repeats) if options.quick else options.repeats,
        0.5 if options.quick else 2.0,
        options.peer,
    )
    clock.use(options.clock)
    machine.prepare(request.backend, request.device, request.threads)
    if request.device == "gpu":
        machine.allow_tf32()
    about = machine.describe(request.threads)
    about |= {
        "command": shlex.join(["python", "-m", "benchmarks.speed", *_portable(given)]),
        "clock": options.clock,
        "quick": options.quick,
        "malloc": "keep" if options.malloc == "keep" and keep_memory() else "default",
    }
    module = importlib.import_module(f".{options.benchmark}", __package__)
    for row, more in module.measure(request):
        table.add(row, about | more, options.results)
        print(", ".join(f"{name} {value}" for name, value in row.items()), flush=True)


def _portable(arguments: list[str]) -> list[str]:
    """The arguments without the folder of the results, which says nothing about them."""
    kept = list(arguments)
    if "--results" in kept:
        at = kept.index("--results")
        del kept[at : at + 2]
    return kept


if __name__ == "__main__":
    main()
