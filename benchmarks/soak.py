"""An hour of training and materialising in one process: does its memory stay flat?

    KERAS_BACKEND=torch python -m benchmarks.soak --minutes 60

from the root of the repository. Every cycle goes on with the pre-training of one template, writes
it to a file and reads it back, cuts a network from it and adapts another, classifies with both, and
lets go of them. Between cycles the resident memory of the process is read. The first half of the
time is left out: caches fill, allocators settle. Adds the row `soak_growth` to
`results/reliability.csv` (tried: cycles; failed: 1 if the second half grew by more than a twentieth
of what the process held; worst: MiB an hour, the slope of a straight line through the second half)
and draws `results/reliability/soak-BACKEND.png`.
"""

import argparse
import gc
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.reliability_table import RESULTS, write_row

_SHAPE = (16, 16, 1)
_SIZES = ("L1H1", "L1H2", "L2H1", "L2H2")
_ALLOWED = 0.05  # of the memory held


def main() -> None:
    """Parses the command line, trains, and writes the row and the figure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--dry", action="store_true", help="write nothing")
    options = parser.parse_args()
    seconds, memory = soak(60 * options.minutes)
    slope, grew = judge(seconds, memory)
    backend = os.environ["KERAS_BACKEND"]
    print(
        f"{backend}: {len(seconds)} cycles in {seconds[-1] / 60:.0f} minutes, "
        f"{memory[seconds >= seconds[-1] / 2][0]:.0f} MiB at half time, {memory[-1]:.0f} at the "
        f"end, {slope:+.1f} MiB an hour"
    )
    if not options.dry:
        write_row("soak_growth", backend, tried=len(seconds), failed=int(grew), worst=slope)
        draw(backend, seconds, memory)


def judge(seconds: np.ndarray, memory: np.ndarray) -> tuple[float, bool]:
    """Looks at the second half of the time.

    Args:
        seconds: Since the start, of each cycle; four or more.
        memory: MiB held.

    Returns:
        MiB an hour, the slope of a straight line, and whether that is too much.
    """
    late = seconds >= seconds[-1] / 2
    slope, start = np.polyfit(seconds[late], memory[late], 1)
    first, last = (start + slope * seconds[late][at] for at in (0, -1))
    return float(3600 * slope), bool(last - first > _ALLOWED * first)


def soak(limit: float) -> tuple[np.ndarray, np.ndarray]:
    """Trains and materialises for so many seconds.

    Returns:
        Seconds since the start and MiB held, of each cycle.
    """
    import sweet_keras as sk

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (256, *_SHAPE)).astype("uint8")
    labels = rng.integers(0, 4, 256)
    vit = sk.SweetTemplateViT("L2H2", image_shape=_SHAPE, patch_size=4, head_dim=8)
    mae = sk.MaskedAutoencoder(vit, decoder="L1H1")
    mae.compile(optimizer=sk.KernelMuon(1e-3))
    began, seconds, memory = time.monotonic(), [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.sweet"
        while not seconds or seconds[-1] < limit:
            mae.fit(images, batch_size=64, epochs=5, verbose=0)
            mae.template().save(path)
            size = _SIZES[len(seconds) % len(_SIZES)]
            template = sk.SweetTemplate.load(path)
            cut = sk.materialize(template, size)
            fitted = sk.materialize(template, size, adapt=images, steps=4, batch_size=64)
            for network in (cut, fitted):
                classifier = sk.ImageClassifier(network, classes=4)
                classifier.compile(optimizer="adamw")
                classifier.fit(images, labels, batch_size=64, epochs=1, verbose=0)
                classifier.predict(images, batch_size=64, verbose=0)
            del template, cut, fitted, network, classifier
            gc.collect()
            seconds.append(time.monotonic() - began)
            memory.append(resident())
    return np.asarray(seconds), np.asarray(memory)


def resident() -> float:
    """MiB of memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def draw(backend: str, seconds: np.ndarray, memory: np.ndarray) -> None:
    """Draws the memory over time."""
    from matplotlib.figure import Figure

    from sweet_keras.report.drawing import save_png

    figure = Figure(figsize=(6, 3), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(seconds / 60, memory)
    axes.set(xlabel="minutes", ylabel="resident memory, MiB", title=backend, ylim=(0, None))
    folder = RESULTS.parent / "reliability"
    folder.mkdir(exist_ok=True)
    save_png(figure, folder / f"soak-{backend}.png")


if __name__ == "__main__":
    main()
