"""The bundled sample of Fashion-MNIST."""

from __future__ import annotations

from importlib import resources

import numpy as np

FASHION_MNIST_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
"""Names of the ten classes in the order of the labels."""


def fashion_mnist() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Loads the sample of Fashion-MNIST that comes with the package.

    10,000 of the 60,000 training images and 2,000 of the 10,000 test images,
    the same number of each class, photographed garments on black. Nothing is
    downloaded. `README.md` beside this module says how they were drawn; MIT
    licence, see `LICENSE` there.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images uint8 of shape
        `(10000, 28, 28, 1)` and `(2000, 28, 28, 1)`, labels int32 in [0, 10).

    Reference:
        [Xiao, Rasul, Vollgraf, 2017](https://arxiv.org/abs/1708.07747)

    Example:
        ```python
        (x_train, y_train), (x_test, y_test) = fashion_mnist()
        ```
    """
    sample = resources.files(__name__) / "sample.npz"
    with sample.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        train, test = (
            (arrays[f"x_{split}"][..., None], arrays[f"y_{split}"].astype(np.int32))
            for split in ("train", "test")
        )
    return train, test
