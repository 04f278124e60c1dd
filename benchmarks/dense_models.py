"""Every detector and segmenter, trained on composed scenes: what it gets before and after.

    python benchmarks/make_scenes.py IDX_FOLDER scenes
    KERAS_BACKEND=torch python benchmarks/dense_models.py scenes --vit vit.keras

from the root of the repository, with keras-cv, KerasHub and pycocotools installed. `vit.keras` is a
network of `sweet init`; without it the networks start at random. Comes out: rows of
`results/dense_models.csv`, one for each model and backend, replaced when they are run again. Each
model is saved, loaded and measured again, and must then get the same.
"""

import argparse
import csv
import tempfile
import time
from pathlib import Path

import keras
from rich.console import Console

import sweet_keras as sk
from sweet_keras.core.atomic import atomic_write
from sweet_keras.data import Subset
from sweet_keras.runs.detection import Detection
from sweet_keras.runs.score import METRICS
from sweet_keras.runs.segmentation import Segmentation
from sweet_keras.runs.starting_point import load_model, load_network
from sweet_keras.runs.training import adamw, session
from sweet_keras.tasks.choose_head import heads

TABLE = Path(__file__).resolve().parent / "results" / "dense_models.csv"
KEY = ("backend", "library", "model")
# AP50 is what a detector is asked for first; a segmenter has one measure.
SHOWN = {"detect": "AP50", "segment": "mIoU"}
# RetinaNet's wide convolutions do not learn at a rate that suits the others.
RATES = {"retinanet": 3e-4, "yolov8": 2e-3, "segformer": 3e-3, "deeplab": 2e-3}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenes", help="folder written by make_scenes.py")
    parser.add_argument("--vit", help="network to start from (.keras); at random by default")
    parser.add_argument("--size", default="L6H6", help="of a random network, heads of 8 channels")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, help="by default one for each model")
    parser.add_argument("--channels", type=int, default=64, help="of the feature pyramid")
    parser.add_argument("--test", type=int, default=500, help="test scenes to measure on")
    parser.add_argument("--only", action="append", help="such as keras_cv/retinanet")
    options = parser.parse_args()
    console = Console(soft_wrap=True)
    for head in heads():
        name = f"{head.library}/{head.name}"
        if options.only is None or name in options.only:
            row = measure(head, options)
            replace(row)
            console.print(row, highlight=False)


def measure(head, options) -> dict:
    """Trains one model; gives its row."""
    kind = {"detect": Detection, "segment": Segmentation}[head.task]
    # Garments of 17 to 45 pixels: anchors from 16 pixels on.
    anchors = 2.0 if head.name == "retinanet" else None
    rate = options.learning_rate or RATES[head.name]
    with session("float32", seed=0):
        task = kind(head.name, head.library, anchors, channels=options.channels)
        train = task.open(options.scenes, "train", channels=1)
        test = task.open(options.scenes, "test", channels=1)
        test = Subset(test, range(min(options.test, len(test))))
        height, width = train[0]["image"].shape[:2]
        shape = (height, width, 1)
        if options.vit:
            vit = load_network(options.vit)
        else:
            vit = sk.ViTBackbone(
                options.size,
                image_shape=shape,
                patch_size=4,
                head_dim=8,
                pixel_mean=72.9,
                pixel_std=90.0,
            )
        optimizer = adamw(rate, options.steps, 0.1, 0.05)
        model = task.model(vit, task.classes(train), shape, optimizer)
        before = of(task.measure(model, test, shape), head.task)
        batches = task.batches(train, options.batch_size, shape, augment=task.augmentation)
        began = time.perf_counter()
        model.fit(batches, steps_per_epoch=options.steps, shuffle=False, verbose=0)
        seconds = time.perf_counter() - began
        score = task.measure(model, test, shape)
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "model.keras")
            model.save(path)
            again = task.measure(load_model(path), test, shape)
    return {
        "backend": keras.backend.backend(),
        "library": head.library,
        "model": head.model_class,
        "size": str(vit.size),
        "start": "file" if options.vit else "random",
        "steps": options.steps,
        "batch_size": options.batch_size,
        "learning_rate": rate,
        "metric": SHOWN[head.task],
        "before": round(100 * before, 2),
        "after": round(100 * of(score, head.task), 2),
        "loaded": round(100 * of(again, head.task), 2),
        METRICS["detect"]: round(100 * score.overall, 2) if head.task == "detect" else "",
        "seconds": round(seconds),
    }


def of(score, task: str) -> float:
    """The measure that is shown; 0 where nothing was found."""
    return score.overall if task == "segment" else score.more["AP50"] or 0.0


def replace(row: dict) -> None:
    """Writes a row into the table in the place of an older one."""
    rows = []
    if TABLE.exists():
        with TABLE.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    rows = [old for old in rows if any(old[name] != row[name] for name in KEY)]
    rows = sorted([*rows, row], key=lambda each: [str(each[name]) for name in KEY])
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    with (
        atomic_write(TABLE) as path,
        path.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
