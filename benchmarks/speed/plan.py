"""All rows: what is measured by `all`, one process each, and how long it is about to take."""

import importlib.util
import subprocess
import sys
import time
from typing import NamedTuple

from . import machine, table

BACKENDS = ("torch", "jax", "tensorflow")
# What each row needs beside its backend; without it the row is left out.
NEEDS = {
    "mae_vs_peer": ("torch", "timm", "transformers", "lightly"),
    "build_w": ("tensorly", "opt_einsum"),
    "finetune": ("keras_hub",),
    "inference": ("keras_hub",),
}
# Adds compiling, on the machine that the estimates are made for: two cores, idle.
_COMPILING = {"torch": 0.2, "jax": 1.0, "tensorflow": 0.7}


class Row(NamedTuple):
    """One call of the command line."""

    benchmark: str
    backend: str
    size: str
    batch: int
    minutes: float  # estimated, on two idle cores
    repeats: int = 7

    def arguments(self) -> list[str]:
        return [self.benchmark, "--backend", self.backend, "--size", self.size,
                "--batch", str(self.batch), "--repeats", str(self.repeats)]  # fmt: skip

    def key(self, device: str) -> tuple[str, ...]:
        return self.benchmark, self.backend, device, self.size, str(self.batch)


def rows(device: str = "cpu") -> list[Row]:
    """Everything, the most important first."""
    found = []

    def add(benchmark, size, batch, minutes, repeats=7, backends=BACKENDS):
        for backend in backends:
            found.append(
                Row(benchmark, backend, size, batch, minutes + _COMPILING[backend], repeats)
            )

    for size in ("small", "small+subnetworks", "small+half", "small+quarter"):
        add("train_step", size, 128, 1.2)
    add("mae_vs_peer", "small", 128, 2.5)
    add("mae_vs_peer", "small+subnetworks", 128, 2.5)
    add("mae_vs_peer", "small+compiled", 128, 4, backends=("torch",))
    for variant in ("plain", "quarter"):
        add("mae_vs_peer", f"small+{variant}", 128, 2.5, backends=("torch",))
    add("train_step", "small+jit", 128, 1.5, backends=("tensorflow",))
    for size in ("tiny", "tiny+subnetworks"):
        add("train_step", size, 128, 4, 5)
    add("mae_vs_peer", "tiny", 32, 4, 5)
    add("mae_vs_peer", "tiny", 128, 8, 5, backends=("torch",))
    if device == "cpu":  # fast where the processor has products in bfloat16
        add("train_step", "tiny+bf16", 128, 3, 5, backends=("torch",))
        add("mae_vs_peer", "tiny+bf16", 32, 3, 5, backends=("torch",))
    if device == "gpu":
        for size in ("base+bf16", "base+bf16+subnetworks", "base+bf16+half"):
            add("train_step", size, 128, 1)
        add("mae_vs_peer", "base+bf16", 128, 1)
        for size in ("base+bf16", "base+bf16+half"):
            add("train_step_memory", size, 128, 1, 1)
    for size in ("L3H3", "L6H6", "L9H9", "L12H12"):
        add("build_w", size, 1, 1)
    add("build_w", "L24H16", 1, 6, 3, backends=("torch",))
    for size in ("L3H3", "L4H4", "L6H6", "L9H9", "L12H12"):
        add("materialize", size, 1, 0.6)
    add("materialize", "sweet-init", 1, 1, 5)
    add("adapt_share", "small", 128, 2, 3)
    for size in ("base", "base+subnetworks", "base+half", "base+remat"):
        add("train_step_memory", size, 32, 5, 1, backends=("torch",))
    add("train_step", "base", 16, 6, 3, backends=("torch",))
    for size in ("base+half", "base+quarter"):
        add("train_step", size, 16, 6, 3, backends=("torch",))
    add("input_pipeline", "small", 128, 1)
    add("input_pipeline", "tiny", 32, 2, 5)
    for benchmark in ("finetune", "inference"):
        add(benchmark, "small", 128, 1.5)
        add(benchmark, "tiny", 32, 3, 5)
    for batch in (32, 512):
        add("train_step", "small", batch, 1.2)
    # How a step grows with resolution, depth and width.
    for size in ("small-large", "small-deep", "small-wide"):
        add("train_step", size, 128, 2, 5, backends=("torch",))
    add("train_step_memory", "small", 128, 1.5, 3)
    add("train_step_memory", "tiny", 32, 2, 3)
    add("train_step", "small+muon", 128, 1.2)
    return found


def run_all(options) -> None:
    """Measures what is not measured yet, row by row; go on by the same command.

    Args:
        options: Of the command line; see `__main__`.
    """
    left, out = [], []
    planned = rows(options.device)
    for row in planned:
        missing = [name for name in (row.backend, *NEEDS.get(row.benchmark, ()))
                   if importlib.util.find_spec(name) is None]  # fmt: skip
        if missing:
            out.append(f"{' '.join(row.arguments())}: without {', '.join(missing)}")
        elif options.again or not measured(row, options):
            left.append(row)
    for line in out:
        print("left out:", line)
    minutes = sum(row.minutes for row in left) * (0.4 if options.quick else 1)
    print(f"{len(left)} of {len(planned)} to be measured, about {minutes:.0f} minutes", flush=True)
    failed = 0
    for number, row in enumerate(left, 1):
        print(f"[{number}/{len(left)}] {' '.join(row.arguments())}", flush=True)
        if options.list:
            continue
        began = time.perf_counter()
        done = subprocess.run(command(row, options), cwd=machine.ROOT)  # noqa: S603
        failed += done.returncode != 0
        print(f"  {'failed' if done.returncode else 'done'} in "
              f"{(time.perf_counter() - began) / 60:.1f} minutes", flush=True)  # fmt: skip
    if failed:
        raise SystemExit(f"{failed} failed; the same command tries them again")


def command(row: Row, options) -> list[str]:
    """The command line of one row."""
    line = [sys.executable, "-m", "benchmarks.speed", *row.arguments()]
    line += ["--device", options.device, "--threads", str(options.threads)]
    line += ["--clock", options.clock, "--malloc", options.malloc]
    line += ["--results", str(options.results.resolve())]
    return [*line, "--quick"] if options.quick else line


def measured(row: Row, options) -> bool:
    """Whether the table has a row of these settings, measured with the library as it is."""
    found, known = table.read(options.results)
    wanted = {"threads": options.threads, "clock": options.clock, "quick": options.quick,
              "sources": machine.sources()}  # fmt: skip
    return any(
        (old["benchmark"], old["backend"], old["device"], old["size"], old["batch"])
        == row.key(options.device)
        and all(known[table.key_of(old)].get(name) == value for name, value in wanted.items())
        for old in found
    )
