"""The table of results: a CSV file, what is known about each row in JSON, and a page."""

import csv
import json
from pathlib import Path
from typing import Any

from sweet_keras.core.atomic import atomic_write

from .sizes import SIZES, VARIANTS

RESULTS = Path(__file__).resolve().parents[1] / "results"
KEY = ("benchmark", "backend", "device", "size", "batch", "peer_name")
COLUMNS = ("benchmark", "backend", "device", "size", "batch", "ours", "peer", "peer_name", "unit",
           "ratio", "ratio_low", "ratio_high")  # fmt: skip


def key_of(row: dict[str, Any]) -> str:
    return " ".join(str(row[name]).replace(" ", "_") for name in KEY)


def read(folder: Path = RESULTS) -> tuple[list[dict[str, str]], dict[str, dict]]:
    """Rows, and what is known about each by its key."""
    path = folder / "speed.csv"
    if not path.exists():
        return [], {}
    with path.open() as file:
        rows = list(csv.DictReader(file))
    about = json.loads((folder / "speed.json").read_text())
    return rows, about


def add(row: dict[str, Any], about: dict[str, Any], folder: Path = RESULTS) -> None:
    """Puts one row in, in place of an older one of the same key, and renders the page.

    Args:
        row: A value for each of `COLUMNS`.
        about: Versions, threads, shapes, command and the like.
        folder: Where the files lie.

    Raises:
        ValueError: If a column is missing or there is one too many.
    """
    if set(row) != set(COLUMNS):
        raise ValueError(f"`row` must have the columns {COLUMNS}. Received: {sorted(row)}")
    row = {name: _text(row[name]) for name in COLUMNS}
    rows, known = read(folder)
    table = {key_of(old): old for old in rows} | {key_of(row): row}
    known = {key: known[key] for key in table if key in known} | {key_of(row): about}
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / "speed.json") as temporary:
        temporary.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    with atomic_write(folder / "speed.csv") as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table.values())
    render(folder)


def render(folder: Path = RESULTS) -> None:
    """Writes the page anew."""
    rows, known = read(folder)
    with atomic_write(folder / "speed.md") as temporary:
        temporary.write_text(page(rows, known))


def _text(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)


_ABOUT = """\
# Speed

Made by `python -m benchmarks.speed`; `all` measures every row anew, and `speed.json` holds the
command, the versions, the shapes and the single measurements of each. Ours and the peer are
measured in turns (A B, B A, …), in one process where that is possible. A ratio above 1 means that
ours is better: faster, or less memory. It is the median over the pairs, and its spread are their
quartiles. Clock: the wall's, or `cpu`, the processor time of one thread on a busy machine. On a
GPU all frameworks may multiply float32 as TF32.
"""
_TITLES = {
    "train_step": "A step of pre-training: template against plain kernels",
    "train_step_memory": "Memory of a step of pre-training",
    "mae_vs_peer": "Pre-training against other people's masked autoencoders",
    "build_w": "Building W",
    "materialize": "From template to model",
    "adapt_share": "Fitting sizes to images, as a share of the pre-training",
    "input_pipeline": "Reading images, against what the model consumes",
    "finetune": "Fine-tuning a materialised model",
    "inference": "Inference of a materialised model",
}


def page(rows: list[dict[str, str]], known: dict[str, dict]) -> str:
    """The tables as Markdown, one for each benchmark."""
    parts = [_ABOUT, _sizes()]
    for benchmark in [*_TITLES, *sorted({row["benchmark"] for row in rows} - set(_TITLES))]:
        chosen = [row for row in rows if row["benchmark"] == benchmark]
        if not chosen:
            continue
        parts.append(f"\n## {_TITLES.get(benchmark, benchmark)} (`{benchmark}`)\n\n")
        parts.append(
            "| backend | device | size | batch | ours | peer | unit | against | ratio | spread "
            "| threads | pairs | clock |\n" + "|---" * 13 + "|\n"
        )
        parts += [_line(row, known.get(key_of(row), {})) for row in chosen]
        remarks = {known.get(key_of(row), {}).get("remark") for row in chosen} - {None}
        parts += [f"\n{remark}\n" for remark in sorted(remarks)]
    return "".join(parts)


def _sizes() -> str:
    lines = ["\n| size | network | head_dim | image | patch | decoder |\n", "|---" * 6 + "|\n"]
    for name, size in SIZES.items():
        shape = "x".join(map(str, size.image_shape))
        lines.append(
            f"| {name} | {size.vit} | {size.head_dim} | {shape} | {size.patch} | {size.decoder} |\n"
        )
    lines.append("\n")
    lines += [f"* `+{name}`: {what}.\n" for name, what in VARIANTS.items()]
    return "".join(lines)


def _line(row: dict[str, str], about: dict) -> str:
    number = {name: _short(row[name]) for name in ("ours", "peer")}
    ratio, low, high = (f"{float(row[name]):.2f}" for name in ("ratio", "ratio_low", "ratio_high"))
    cells = (row["backend"], row["device"], row["size"], row["batch"], number["ours"],
             number["peer"], row["unit"], row["peer_name"], f"**{ratio}**", f"{low} to {high}",
             about.get("threads", ""), about.get("pairs", ""), about.get("clock", ""))  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |\n"


def _short(value: str) -> str:
    number = float(value)
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"
