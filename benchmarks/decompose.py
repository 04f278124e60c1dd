"""What a trained network loses as a template of fewer numbers, and what tensorly makes of the same.

    KERAS_BACKEND=torch python benchmarks/decompose.py model.keras --images SPEC

from the root of the repository, with tensorly installed; SPEC as for `sweet pretrain --data`. Comes
out: `results/decompose.csv` and `results/decompose.md`. For each share of the numbers of the
network: the ranks chosen, the relative errors of kernels and of tokens on images, and after a
refinement of `--refine-steps`. For the same ranks: error, seconds and memory of `sweet_keras.core`
and of tensorly's `tucker`, each run in a process of its own, taken in turns.

    python benchmarks/decompose.py --random L24H16 --ranks 144,512,512 --only ours

adds rows for random kernels of a size (heads of 64, a sum of a few and noise), without Keras.
"""

import argparse
import csv
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from sweet_keras.core.atomic import atomic_write
from sweet_keras.core.hooi import hooi, hosvd
from sweet_keras.core.size import ViTSize
from sweet_keras.core.tucker import Factors, contract

RESULTS = Path(__file__).resolve().parent / "results"
SHARES = (1.0, 0.9, 0.75, 0.6, 0.5, 0.35, 0.25)
KEY = ("source", "ranks", "method")
THEIRS = {"method": "tensorly"}
COLUMNS = (*KEY, "parameters", "kernel_error", "token_error", "refined_steps", "refined_error",
           "seconds", "slowest", "peak_mib", "runs")  # fmt: skip

HEADER = (
    "| ranks | numbers | method | kernel error | token error | refined | seconds (slowest) "
    "| memory, MiB |"
)
ABOUT = """\
# Decomposing trained networks

Made by `python benchmarks/decompose.py`. Kernel error: length of the difference of all kernels over
that of the kernels. Token error: the same of the tokens of {images} images, without their mean, so
that a network that gives the mean token alone has 1. Seconds are the median of the runs on a busy
machine with two cores, one of them used; memory is what the process took beyond the kernels
themselves.
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", help=".keras file of a network")
    parser.add_argument("--images", help="where the images lie", metavar="SPEC")
    parser.add_argument("--test", type=int, default=256, help="images that errors are measured on")
    parser.add_argument("--refine-steps", type=int, default=0, help="0 for no refinement")
    parser.add_argument("--refine-shares", type=float, action="append", default=[])
    parser.add_argument("--random", metavar="SIZE", help="random kernels instead of a network's")
    parser.add_argument("--ranks", default="72,384,384", help="for random kernels")
    parser.add_argument("--only", choices=("ours", "tensorly"))
    parser.add_argument("--sweeps", type=int, default=10, help="the most of ours")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)  # method, ranks, file
    options = parser.parse_args()
    if options.run:
        run_once(*options.run, options.sweeps)
        return
    rows = of_random(options) if options.random else of_network(options)
    merge(rows, options)


def of_network(options) -> list[dict]:
    import sweet_keras as sk
    from sweet_keras.core.blocks import Kernels, kernels_to_blocks
    from sweet_keras.data import open_source
    from sweet_keras.initialization.refine import output_error
    from sweet_keras.runs.starting_point import load_network

    vit = load_network(options.model)
    source = open_source(options.images, "train", channels=vit.image_shape[2])
    count = options.test + 64 * options.refine_steps
    images = np.stack([source[i]["image"] for i in range(min(count, len(source)))])
    test, rest = images[: options.test], images[options.test :]
    arrays = vit.arrays()
    w = kernels_to_blocks(Kernels(*(arrays[f"{name}/kernel"] for name in Kernels._fields)))
    w = w.reshape(-1, *w.shape[2:])
    name = f"plain {vit.size}, D {vit.embed_dim}"
    rows = []
    for share in SHARES:
        budget = None if share == 1.0 else int(share * vit.count_params())
        template = sk.decompose(vit, max_parameters=budget, sweeps=options.sweeps)
        about = template.record["decomposition"]
        row = {
            "source": name,
            "ranks": " ".join(map(str, template.ranks)),
            "method": "ours",
            "parameters": template.parameters,
            "kernel_error": about["error"],
            "token_error": output_error(template, vit, test),
        }
        if share in options.refine_shares and options.refine_steps:
            refined = sk.refine(
                template, vit, rest, validation=test, steps=options.refine_steps, seed=0
            )
            row["refined_steps"] = options.refine_steps
            row["refined_error"] = refined.record["refinement"]["error_after"]
        print(row, flush=True)
        rows.append(row)
        if share < 1.0:
            rows += contest(w, template.ranks, options, into=row)
    return rows


def of_random(options) -> list[dict]:
    size = ViTSize.parse(options.random)
    rng = np.random.default_rng(0)
    count, dim, few = 12 * size.depth, size.embed_dim, 24
    base = rng.standard_normal((few, dim, dim), dtype="float32")
    w = np.empty((count, dim, dim), "float32")
    for block in w:
        weights = rng.standard_normal(few, dtype="float32") / few**0.5
        block[...] = np.tensordot(weights, base, 1)
        block += rng.standard_normal((dim, dim), dtype="float32")
    ranks = tuple(map(int, options.ranks.split(",")))
    r1, r2, r3 = ranks
    stored = r1 * r2 * r3 + count * r1 + dim * (r2 + r3)
    row = {"source": f"random {size}, D {dim}", "ranks": " ".join(map(str, ranks)),
           "method": "ours", "parameters": stored}  # fmt: skip
    others = contest(w, ranks, options, into=row)
    return ([row] if options.only != "tensorly" else []) + others


def contest(w, ranks, options, into) -> list[dict]:
    """Both methods in turns, in processes of their own; ours go `into` a row."""
    methods = [options.only] if options.only else ["ours", "tensorly"]
    runs = {method: [] for method in methods}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "w.npy"
        np.save(path, w)
        text = ",".join(map(str, ranks))
        for _ in range(options.repeats):
            for method in methods:
                line = [sys.executable, __file__, "--sweeps", str(options.sweeps)]
                line += ["--run", method, text, str(path)]
                output = subprocess.run(line, check=True, capture_output=True, text=True).stdout  # noqa: S603
                runs[method].append(json.loads(output.splitlines()[-1]))
                print(into["source"], text, method, runs[method][-1], flush=True)
    rows = []
    for method, found in runs.items():
        row = into
        if method != "ours":
            row = {**{name: into[name] for name in ("source", "ranks", "parameters")}, **THEIRS}
        row |= {
            "kernel_error": found[0]["error"],
            "seconds": statistics.median(run["seconds"] for run in found),
            "slowest": max(run["seconds"] for run in found),
            "peak_mib": statistics.median(run["peak_mib"] for run in found),
            "runs": len(found),
        }
        if method != "ours":
            rows.append(row)
    return rows


def run_once(method: str, ranks: str, path: str, sweeps: int) -> None:
    """In a process of its own: prints what one decomposition took."""
    w = np.load(path)
    ranks = tuple(map(int, ranks.split(",")))
    if method == "tensorly":
        import tensorly
        from tensorly.decomposition import tucker
    before = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the highest so far is forgotten
    began = time.perf_counter()
    if method == "ours":
        parts = np.split(w, len(w) // 12) if len(w) % 12 == 0 else [w]
        factors = hooi(parts, ranks, hosvd(parts), sweeps=sweeps).factors
    else:
        core, matrices = tucker(tensorly.tensor(w), rank=list(ranks))
    seconds = time.perf_counter() - began
    peak = memory("VmHWM") - before
    if method == "ours":
        core, *matrices = factors
    missed = energy = 0.0
    for block, row in zip(w, matrices[0], strict=True):
        near = contract(Factors(core, row[None], *matrices[1:]), "xuv")[0]
        missed += np.sum(np.square(block - near), dtype="float64")
        energy += np.sum(np.square(block), dtype="float64")
    print(json.dumps({"error": float(np.sqrt(missed / energy)), "seconds": seconds,
                      "peak_mib": peak / 1024}))  # fmt: skip


def memory(name: str) -> int:
    """KiB that this process has (VmRSS), or had at most (VmHWM), on Linux."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def merge(rows: list[dict], options) -> None:
    """Replaces rows of the table by newer ones of the same key, and renders the page."""
    path = options.results / "decompose.csv"
    old = read(path) if path.exists() else []
    table = {tuple(str(row[name]) for name in KEY): row for row in [*old, *rows]}
    with atomic_write(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in table.values():
            writer.writerow({name: _text(row.get(name, "")) for name in COLUMNS})
    with atomic_write(options.results / "decompose.md") as temporary:
        page = ABOUT.format(images=options.test)
        temporary.write_text(page + _page(read(path)))


def read(path: Path) -> list[dict]:
    with path.open() as file:
        return list(csv.DictReader(file))


def _text(value) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _page(rows: list[dict]) -> str:
    lines = []
    for source in dict.fromkeys(row["source"] for row in rows):
        lines += [f"\n## {source}\n", HEADER, "|---" * 8 + "|"]
        for row in rows:
            if row["source"] == source:
                lines.append(_line(row))
    return "\n".join(lines) + "\n"


def _line(row: dict) -> str:
    def number(name: str, pattern: str) -> str:
        return format(float(row[name]), pattern) if row[name] else ""

    refined = number("refined_error", ".3f")
    refined += f" after {row['refined_steps']} steps" if refined else ""
    seconds = number("seconds", ".2f")
    seconds += f" ({number('slowest', '.2f')})" if seconds else ""
    ranks = row["ranks"].replace(" ", ", ")
    cells = (ranks, f"{int(row['parameters']):,}", row["method"], number("kernel_error", ".4f"),
             number("token_error", ".3f"), refined, seconds, number("peak_mib", ".0f"))  # fmt: skip
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
