"""The table and the page of `generation.py`, from the files that it keeps."""

import csv
import json
import shutil
import statistics
from collections.abc import Sequence
from pathlib import Path

from sweet_keras.core.atomic import atomic_write
from sweet_keras.report import markdown
from sweet_keras.report.drawing import save_png, style
from sweet_keras.report.frechet_by_step import GeneratorCurve, frechet_by_step
from sweet_keras.report.palette import text_of
from sweet_keras.runs.comparison import methods_of, sizes_of
from sweet_keras.runs.paired import paired_difference

COLUMNS = ("dataset", "method", "size", "seed", "step", "metric", "value")
METRICS = ("frechet", "precision", "recall", "label_agreement")
DATASET, OURS = "fashion-mnist", "sweet_adapt"


def write_results(out: Path, results: Path, about: str) -> None:
    """Writes `generation.csv`, `generation.md` and its figures.

    Args:
        out: Where trials, starts and sources are kept.
        results: Where the table goes.
        about: What a reader must know of the numbers.
    """
    trials = chosen([json.loads(path.read_text()) for path in sorted(out.glob("trials/*.json"))])
    if not trials:
        return
    figures = results / "generation"
    figures.mkdir(parents=True, exist_ok=True)
    with atomic_write(results / "generation.csv") as path, path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for trial in trials:
            cell = DATASET, trial["method"], trial["size"], trial["seed"]
            for point in trial["curve"]:
                for metric in METRICS:
                    writer.writerow([*cell, point["step"], metric, f"{point[metric]:.4f}"])
    curves = [curve_of(trial) for trial in trials]
    with style():
        save_png(frechet_by_step(curves), figures / "frechet.png")
    for trial in trials:
        if trial["seed"] == 0:
            name = f"{trial['method']}-{trial['size']}"
            grid = out / "grids" / f"{name}-0-{trial['learning_rate']:g}.png"
            shutil.copyfile(grid, figures / f"{name}.png")
    with atomic_write(results / "generation.md") as path:
        text = page(trials, curves, costs(out), about)
        path.write_text(text + guided(out, figures), encoding="utf-8")


def guided(out: Path, figures: Path) -> str:
    """What the template itself makes, if that was measured."""
    if not (out / "guided.json").exists():
        return ""
    found = json.loads((out / "guided.json").read_text())
    shutil.copyfile(out / "grids" / "guided.png", figures / "guided.png")
    return "\n" + "\n".join(
        [
            markdown.heading(2, "The template at its own size, with guidance"),
            f"{found['steps']} steps of {found['sampler']}, guidance {found['guidance']:g}: label "
            f"agreement {found['label_agreement']:.1%}, Fréchet distance {found['frechet']:.2f}, "
            f"precision {found['precision']:.2f}, recall {found['recall']:.2f}.\n",
            markdown.image("generation/guided.png", "Images of each class"),
        ]
    )


def chosen(trials: list[dict]) -> list[dict]:
    """Those with the rate that was best for method and size, with seed 0."""
    best: dict[tuple[str, str], dict] = {}
    for trial in trials:
        cell = trial["method"], trial["size"]
        if trial["seed"] == 0 and (cell not in best or trial["held_out"] < best[cell]["held_out"]):
            best[cell] = trial
    rates = {cell: trial["learning_rate"] for cell, trial in best.items()}
    kept = [t for t in trials if t["learning_rate"] == rates.get((t["method"], t["size"]))]
    return sorted(kept, key=lambda t: (t["size"], t["method"], t["seed"]))


def curve_of(trial: dict) -> GeneratorCurve:
    """The distances of a trial by step."""
    steps = [point["step"] for point in trial["curve"]]
    distances = [point["frechet"] for point in trial["curve"]]
    return GeneratorCurve(trial["method"], trial["size"], trial["seed"], steps, distances)


def costs(out: Path) -> dict[str, float]:
    """CPU seconds of sources and starts, by the name of their file."""
    found = {}
    for folder in ("sources", "starts"):
        for path in sorted((out / folder).glob("*.json")):
            found[path.stem] = json.loads(path.read_text())["cpu_seconds"]
    return found


def page(
    trials: Sequence[dict], curves: Sequence[GeneratorCurve], seconds: dict[str, float], about: str
) -> str:
    """The page in Markdown."""
    sizes, methods = sizes_of(curves), methods_of(curves)

    def cell(method: str, size: str) -> list[dict]:
        return [t for t in trials if (t["method"], t["size"]) == (method, size)]

    def spread(values: Sequence[float], digits: int) -> str:
        if not values:
            return ""
        text = f"{statistics.fmean(values):.{digits}f}"
        return text + (f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else "")

    def last(method: str, size: str, metric: str) -> dict[int, float]:
        return {t["seed"]: t["curve"][-1][metric] for t in cell(method, size)}

    parts = [markdown.heading(1, "Generation"), about]
    for metric, title, digits in (
        ("frechet", "Fréchet distance (lower is better)", 2),
        ("label_agreement", "Label agreement", 3),
        ("precision", "Precision", 3),
        ("recall", "Recall", 3),
    ):
        pick = min if metric == "frechet" else max
        means = {
            (m, s): statistics.fmean(values.values())
            for m in methods for s in sizes if (values := last(m, s, metric))
        }  # fmt: skip
        rows = []
        for method in methods:
            row: list[object] = [text_of(method)]
            for size in sizes:
                text = spread(list(last(method, size, metric).values()), digits)
                best = pick((means[m, size] for m in methods if (m, size) in means), default=None)
                row.append(("best", text) if means.get((method, size)) == best else text)
            rows.append(row)
        parts += [
            markdown.heading(2, title),
            markdown.table(["started by", *sizes], rows, (1, 2, 3)),
        ]
    differences = []
    for method in methods:
        row = [text_of(method)]
        for size in sizes:
            found = paired_difference(last(OURS, size, "frechet"), last(method, size, "frechet"))
            known = method != OURS and found is not None and found.margin is not None
            row.append(f"{found.mean:+.2f} ± {found.margin:.2f}" if known else "")
        if any(row[1:]):
            differences.append(row)
    spent = [
        (f"{'start' if '-' in name else 'source'}: {name}", f"{s:.0f}")
        for name, s in seconds.items()
    ]
    for size in sizes:
        # Those of seed 0: others may have been trained on another machine.
        each = [t["cpu_seconds"] for t in trials if (t["size"], t["seed"]) == (size, 0)]
        spent.append((f"training: {size}", f"{statistics.fmean(each):.0f}"))
    parts += [
        markdown.heading(2, "SWEET adapt less the others"),
        "Fréchet distance, paired by seed, with its 95 % confidence interval.\n",
        markdown.table(["other", *sizes], differences, (1, 2, 3)),
        markdown.heading(2, "By step"),
        markdown.image("generation/frechet.png", "Fréchet distance by step, method and size"),
        "Before the first step a started generator makes what it was cut to or fitted to.\n",
        markdown.heading(2, "What it takes"),
        markdown.table(["what", "CPU seconds"], [*spent], (1,)),
        markdown.heading(2, "Samples"),
        "A column for each class, seed 0, without guidance.\n",
    ]
    for size in sizes:
        parts.append(markdown.heading(3, size))
        for method in methods:
            if cell(method, size):
                path = f"generation/{method}-{size}.png"
                parts += [f"{text_of(method)}:\n", markdown.image(path, f"{method}, {size}")]
    return "\n".join(parts)
