"""Draws the sample of Fashion-MNIST that is shipped in `sweet_keras/data/fashion_mnist`.

Reads the four original idx files and writes `sample.npz`: 1,000 training and 200 test images of
each class. The choice depends on nothing but the class and the position of an image in the
original file, so that no version of a random generator can change it: of each class those whose
SHA-256 of the text "fashion-mnist/<split>/<position>" comes first in order. They are kept in the
order of the original file.

Command (Debian's package dataset-fashion-mnist; a second or two on one core):

    PYTHONPATH=. python benchmarks/make_fashion_mnist_sample.py /usr/share/datasets/fashion-mnist \
        sweet_keras/data/fashion_mnist/sample.npz
"""

import argparse
import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np

from sweet_keras.data import read_idx

PER_CLASS = {"train": 1000, "test": 200}


def drawn(labels: np.ndarray, split: str, per_class: int) -> np.ndarray:
    """The positions to keep, ascending."""

    def rank(position: int) -> str:
        return hashlib.sha256(f"fashion-mnist/{split}/{position}".encode()).hexdigest()

    chosen = [
        sorted(np.flatnonzero(labels == label).tolist(), key=rank)[:per_class]
        for label in np.unique(labels)
    ]
    return np.sort(np.concatenate(chosen))


def main() -> None:
    """Reads, draws, writes, and prints what the README states."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="folder with the four original idx files")
    parser.add_argument("output", type=Path, help="the .npz file to write")
    arguments = parser.parse_args()
    # zipfile rather than np.savez_compressed: the strongest compression, and a fixed date, so
    # that the same input gives the same file.
    with zipfile.ZipFile(arguments.output, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for split, per_class in PER_CLASS.items():
            source = read_idx(arguments.folder, split)
            positions = drawn(source.labels, split, per_class)
            images, labels = source.read(positions)
            for name, array in (("x", images[..., 0]), ("y", labels.astype(np.uint8))):
                buffer = io.BytesIO()
                np.lib.format.write_array(buffer, array, allow_pickle=False)
                member = zipfile.ZipInfo(f"{name}_{split}.npy", date_time=(1980, 1, 1, 0, 0, 0))
                member.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(member, buffer.getvalue(), compresslevel=9)
                digest = hashlib.sha256(array.tobytes()).hexdigest()
                print(f"{name}_{split} {array.shape} {array.dtype} sha256 {digest}")
    print(f"{arguments.output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
