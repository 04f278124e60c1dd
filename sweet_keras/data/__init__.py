"""Images in: sources with random access, and the input pipeline.

Everything here works without keras and without a framework. grain, pillow and
tensorflow-datasets are imported when a function first needs them, never by
importing this package.

Example:
    ```python
    from sweet_keras import data

    source = data.open_source("fashion-mnist")
    batches = data.pipeline(source, 256, image_shape=(28, 28, 1), augment="mae")
    model.fit(batches, steps_per_epoch=data.steps_per_epoch(source, 256), epochs=4, shuffle=False)
    ```
"""

from sweet_keras.data.array_source import ArraySource
from sweet_keras.data.augmentation import Augmentation
from sweet_keras.data.fashion_mnist import FASHION_MNIST_CLASSES, fashion_mnist
from sweet_keras.data.holdout import holdout
from sweet_keras.data.image_folder import ImageFolder
from sweet_keras.data.open_source import open_source
from sweet_keras.data.pipeline import pipeline, steps_per_epoch
from sweet_keras.data.read_idx import read_idx
from sweet_keras.data.read_npz import read_npz
from sweet_keras.data.source import Source
from sweet_keras.data.subset import Subset
from sweet_keras.data.tfds_source import TFDSSource

__all__ = [
    "FASHION_MNIST_CLASSES",
    "ArraySource",
    "Augmentation",
    "ImageFolder",
    "Source",
    "Subset",
    "TFDSSource",
    "fashion_mnist",
    "holdout",
    "open_source",
    "pipeline",
    "read_idx",
    "read_npz",
    "steps_per_epoch",
]
