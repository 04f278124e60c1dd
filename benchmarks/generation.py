"""Generators of three sizes, each started in four ways: Fréchet distance by step.

    KERAS_BACKEND=torch python benchmarks/generation.py FOLDER --classifier CLASSIFIER.keras

from the root of the repository, with FOLDER the four IDX files of Fashion-MNIST and CLASSIFIER what
`sweet finetune` made, whose features the distances are measured in. Sources and trials are kept in
`--out`, a file each, and never made again: interrupted, it goes on where it was, and several
processes share the work. Comes out: `results/generation.csv`, `results/generation.md` with figures.

Three sources learn to generate at L6H6, with the same images, batches and steps: a plain network, a
template with its sub-networks, and a network under FINE's constraint. Of each, and of random
weights, generators of smaller sizes are started and trained alike. What is fitted to a size (SWEET
adapt: the scalers; FINE: S) is fitted for so many steps before. The learning rate is chosen for
each method and size with seed 0 by the distance to 6,000 images that nothing is learned from; the
table has the distance to the test images.
"""

import argparse
import dataclasses
import json
import os
import random
import time
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from generation_page import write_results
from PIL import Image

import sweet_keras as sk
from sweet_keras.core.atomic import atomic_write
from sweet_keras.data.read_idx import read_idx
from sweet_keras.evaluation.frechet_distance import frechet_distance
from sweet_keras.evaluation.image_features import classifier_features, label_agreement
from sweet_keras.initialization.resized_generator import resized_generator
from sweet_keras.initialization.selection import prefix_selection
from sweet_keras.initialization.truncated_normal import truncated_normal
from sweet_keras.layers.singular_template import SingularTemplate
from sweet_keras.models.generated_vit import GeneratedViT
from sweet_keras.models.warmup_cosine import WarmupCosine
from sweet_keras.runs.claims import claim
from sweet_keras.runs.generator_measures import Measures
from sweet_keras.runs.sample import in_rows
from sweet_keras.runs.starting_point import load_model

HERE = Path(__file__).resolve().parent
CLASSES, HELD_OUT = 10, 6000
GEOMETRY = {
    "image_shape": (28, 28, 1), "patch_size": 4, "head_dim": 8, "pixel_mean": 72.9,
    "pixel_std": 90.0,
}  # fmt: skip
SOURCE, SOURCE_EPOCHS, SOURCE_BATCH, SOURCE_RATE = "L6H6", 4, 256, 4e-3
METHODS = ("random", "prefix", "fine", "sweet_adapt")
NEEDS = {"prefix": "plain", "fine": "fine", "sweet_adapt": "template"}
SIZES = ("L3H3", "L6H3", "L3H6")
RATES = (8e-3, 16e-3, 32e-3, 64e-3)
BATCH, STEPS, MEASURED, ADAPT_STEPS, WEIGHT_DECAY = 128, 200, (0, 100, 200), 400, 0.01
PATIENCE = 5.0  # seconds between looks at what another process is doing
SAMPLES, SAMPLER = 1000, {"steps": 12, "sampler": "euler", "guidance": 1.0}
GUIDED = {"steps": 20, "sampler": "euler", "guidance": 2.0}


class Images(NamedTuple):
    """What is learned from, chooses the rate, and is compared with."""

    x: np.ndarray
    y: np.ndarray
    held: np.ndarray
    test: np.ndarray
    test_y: np.ndarray


ABOUT = f"""Made by `python benchmarks/generation.py`, whose text says how, on Fashion-MNIST.
Fréchet distance, precision and recall (k = 3) are between the features of {SAMPLES:,} made images
and of the 10,000 test images. The features are those of a classifier of this package
({{classifier}}, {{features}} features, {{accuracy:.1%}} of the test images right): the distances
are no "FID". Label agreement is the share of the made images that this classifier puts into the
class that was asked for. All generators of a size were trained alike for {STEPS} steps of {BATCH},
with the rate of {RATES} that was best for method and size on images put aside, and sample by
{SAMPLER["steps"]} steps of Euler without guidance. Mean ± standard deviation over seeds.
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", type=Path, metavar="FOLDER")
    parser.add_argument("--classifier", required=True, metavar="CLASSIFIER.keras")
    parser.add_argument("--out", type=Path, default=Path("runs/generation"), metavar="FOLDER")
    parser.add_argument("--results", type=Path, default=HERE / "results", metavar="FOLDER")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--render", action="store_true", help="train nothing")
    options = parser.parse_args()
    study = Study(options)
    if not options.render:
        for name in ("plain", "template", "fine"):
            study.source(name)
        cells = [(method, size) for size in SIZES for method in METHODS]
        # In an order of its own, so that processes do not wait for each other.
        random.Random(os.getpid()).shuffle(cells)  # noqa: S311
        rates = {cell: study.rate(*cell) for cell in cells}
        for seed in range(1, options.seeds):
            for cell in cells:
                study.trial(*cell, seed, rates[cell])
        study.guided()
    write_results(options.out, options.results, about=study.about())


class Study:
    """Sources, trials and what they are measured with."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Reads the images."""
        self.out = options.out
        self.images = read_images(options.images)
        self.classifier = load_model(options.classifier)
        self.extract = classifier_features(self.classifier)
        self.real = {part: self.extract(getattr(self.images, part)) for part in ("held", "test")}

    def about(self) -> str:
        """What a reader must know of the numbers."""
        scores = self.classifier.predict(self.images.test, verbose=0)
        return ABOUT.format(
            classifier=self.classifier.backbone.size,
            features=self.real["test"].shape[1],
            accuracy=(scores.argmax(axis=-1) == self.images.test_y).mean(),
        )

    def source(self, name: str) -> sk.ImageGenerator:
        """The generator of the largest size; trained now if it is not there."""
        path = self.out / "sources" / f"{name}.keras"
        if not path.exists():
            keras.utils.set_random_seed(0)
            if name == "template":
                vit = sk.SweetTemplateViT(SOURCE, tokens=SOURCE_BATCH * 49, seed=0, **GEOMETRY)
            else:
                vit = sk.ViTBackbone(SOURCE, **GEOMETRY)
            if name == "fine":
                vit = GeneratedViT.around(vit, SingularTemplate)
            generator = sk.ImageGenerator(vit, CLASSES, seed=0)
            steps = len(self.images.x) // SOURCE_BATCH
            late = [sk.LateSubnetworks(vit)] if name == "template" else []
            compile_for(generator, SOURCE_RATE, steps * SOURCE_EPOCHS)
            began = time.process_time()
            generator.fit(
                self.batches(SOURCE_BATCH, 0), steps_per_epoch=steps, epochs=SOURCE_EPOCHS,
                shuffle=False, verbose=2, callbacks=late,
            )  # fmt: skip
            note(path.with_suffix(".json"), {"cpu_seconds": time.process_time() - began})
            with atomic_write(path) as temporary:
                generator.save(temporary)
        return load_model(str(path))

    def batches(self, size: int, seed: int):
        """Endless batches, shuffled anew in each pass."""
        rng, count = np.random.default_rng(seed), len(self.images.x)
        while True:
            order = rng.permutation(count)
            for start in range(0, count - size + 1, size):
                rows = order[start : start + size]
                yield self.images.x[rows], self.images.y[rows]

    def started(self, method: str, size: str, seed: int) -> sk.ImageGenerator:
        """A generator of a size, before it is trained."""
        keras.utils.set_random_seed(seed)
        if method == "random":
            vit = sk.ViTBackbone(size, **GEOMETRY)
            truncated_normal(vit, seed)
            generator = sk.ImageGenerator(vit, CLASSES, seed=seed)
            generator.build()
            return generator
        path = self.out / "starts" / f"{method}-{size}.keras"
        if not path.exists():  # the same for all seeds
            source = self.source(NEEDS[method])
            began = time.process_time()
            if method == "prefix":
                start = resized_generator(source, prefix_selection(source.backbone, size))
            else:
                data = self.batches(BATCH, 0)
                start = sk.materialize_generator(
                    source, size, adapt=data, steps=ADAPT_STEPS, batch_size=BATCH, seed=0
                )
            note(path.with_suffix(".json"), {"cpu_seconds": time.process_time() - began})
            with atomic_write(path) as temporary:
                start.save(temporary)
        start = load_model(str(path))
        return resized_generator(start, start.backbone, seed)  # noise and times by the seed

    def rate(self, method: str, size: str) -> float:
        """The learning rate that is best with seed 0: higher ones are tried while they help."""
        best = None
        for rate in RATES:
            while (trial := self.trial(method, size, 0, rate)) is None:
                time.sleep(PATIENCE)  # another process is at it
            if best is not None and trial["held_out"] >= best["held_out"]:
                break
            best = trial
        return best["learning_rate"]

    def trial(self, method: str, size: str, seed: int, rate: float) -> dict | None:
        """Trains once; what was measured. None if another process is at it."""
        path = self.out / "trials" / f"{method}-{size}-{seed}-{rate:g}.json"
        if path.exists():
            return json.loads(path.read_text())
        with claim(self.out / "locks" / path.name) as granted:
            if not granted:
                return None
            generator = self.started(method, size, seed)
            compile_for(generator, rate, STEPS)
            batches, seconds, curve = self.batches(BATCH, seed), 0.0, []
            for before, step in zip((0, *MEASURED), MEASURED, strict=False):
                if step > before:
                    began = time.process_time()
                    generator.fit(batches, steps_per_epoch=step - before, shuffle=False, verbose=0)
                    seconds += time.process_time() - began
                made, features, measures = self.measure(generator)
                curve.append({"step": step, **measures})
            found = {
                "method": method, "size": size, "seed": seed, "learning_rate": rate,
                "held_out": frechet_distance(self.real["held"], features),
                "cpu_seconds": seconds, "curve": curve,
            }  # fmt: skip
            save_grid(made, self.out / "grids" / f"{path.stem}.png")
            note(path, found)
            print(method, size, seed, rate, f"{curve[-1]['frechet']:.3f}", flush=True)
            return found

    def guided(self) -> None:
        """What the template itself makes, at its own size, with guidance."""
        path = self.out / "guided.json"
        if path.exists():
            return
        made, _, measures = self.measure(sk.materialize_generator(self.source("template")), GUIDED)
        save_grid(made, self.out / "grids" / "guided.png")
        note(path, {**GUIDED, **measures})

    def measure(
        self, generator: sk.ImageGenerator, sampler: dict = SAMPLER
    ) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
        """Images, their features, and what they are worth beside the test images."""
        labels = np.arange(SAMPLES) % CLASSES
        made = generator.generate(labels, seed=0, batch_size=250, **sampler)
        features = self.extract(made)
        agreement = label_agreement(self.classifier, made, labels)
        measures = Measures.of_features(self.real["test"], features, agreement)
        return made, features, dataclasses.asdict(measures)


def compile_for(generator: sk.ImageGenerator, rate: float, steps: int) -> None:
    """The same recipe for sources and trials."""
    generator.compile(
        optimizer=sk.KernelMuon(WarmupCosine(rate, steps, 0.05), weight_decay=WEIGHT_DECAY)
    )


def read_images(folder: Path) -> Images:
    """Fashion-MNIST, a part of the training images put aside."""
    train, test = (read_idx(folder, split) for split in ("train", "test"))
    order = np.random.default_rng(0).permutation(len(train))
    held, kept = np.sort(order[:HELD_OUT]), np.sort(order[HELD_OUT:])
    return Images(*train.read(kept), train.images[held], test.images, test.labels)


def save_grid(made: np.ndarray, path: Path) -> None:
    """Writes the first images as a picture, a column for each class."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        Image.fromarray(in_rows(made[: 6 * CLASSES], CLASSES)).save(temporary, format="PNG")


def note(path: Path, values: dict) -> None:
    """Writes JSON; the file is whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(values, indent=1) + "\n")


if __name__ == "__main__":
    main()
