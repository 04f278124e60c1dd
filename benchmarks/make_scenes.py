"""Scenes of garments as a COCO dataset, composed from Fashion-MNIST: a small detection benchmark.

    python benchmarks/make_scenes.py IDX_FOLDER scenes
    python benchmarks/make_scenes.py fashion-mnist scenes --train 400 --test 100

The first command reads the four original idx files (Debian's package dataset-fashion-mnist), the
second the sample that comes with the library. Training scenes show training garments only, test
scenes test garments only. 1 to 5 garments to a gray picture, 0.6 to 1.6 times their 28 pixels wide,
before gradients, stripes and noise; boxes and masks are exact. 5,000 scenes of 64 pixels take about
a minute on one core. Xiao, Rasul, Vollgraf, Fashion-MNIST, 2017, MIT licence.
"""

import argparse
from pathlib import Path

from sweet_keras.data import FASHION_MNIST_CLASSES, open_source
from sweet_keras.data.compose_scenes import SceneOptions
from sweet_keras.data.write_scenes import write_scenes


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("garments", help='folder with the idx files, or "fashion-mnist"')
    parser.add_argument("out", type=Path, help="the folder to write")
    parser.add_argument("--train", type=int, default=4000, help="number of training scenes")
    parser.add_argument("--test", type=int, default=1000, help="number of test scenes")
    parser.add_argument("--size", type=int, default=64, help="height and width in pixels")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other scenes")
    options = parser.parse_args()
    for split, count in (("train", options.train), ("test", options.test)):
        source = open_source(options.garments, split)
        images, labels = source.read(range(len(source)))
        write_scenes(
            options.out,
            images[..., 0],
            labels,
            FASHION_MNIST_CLASSES,
            split,
            count,
            options.seed,
            SceneOptions(size=(options.size, options.size)),
        )
        print(f"{split}: {count} scenes of {len(source)} garments in {options.out}")


if __name__ == "__main__":
    main()
