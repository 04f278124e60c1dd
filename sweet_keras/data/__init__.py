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

from sweet_keras.data.annotated_pipeline import annotated_pipeline
from sweet_keras.data.annotated_source import AnnotatedSource
from sweet_keras.data.array_source import ArraySource
from sweet_keras.data.augmentation import Augmentation
from sweet_keras.data.box_formats import (
    BOX_FORMATS,
    clip_boxes,
    convert_boxes,
    degenerate_boxes,
)
from sweet_keras.data.coco_source import CocoSource
from sweet_keras.data.count_boxes import count_boxes
from sweet_keras.data.fashion_mnist import FASHION_MNIST_CLASSES, fashion_mnist
from sweet_keras.data.holdout import holdout
from sweet_keras.data.image_folder import ImageFolder
from sweet_keras.data.letterbox import letterbox
from sweet_keras.data.mask_folder import MaskFolder
from sweet_keras.data.open_annotated import open_annotated
from sweet_keras.data.open_source import open_source
from sweet_keras.data.pipeline import pipeline, steps_per_epoch
from sweet_keras.data.placement import Placement
from sweet_keras.data.read_idx import read_idx
from sweet_keras.data.read_npz import read_npz
from sweet_keras.data.renumbered_source import RenumberedSource
from sweet_keras.data.scale_jitter import ScaleJitter
from sweet_keras.data.source import Source
from sweet_keras.data.subset import AnnotatedSubset, Subset
from sweet_keras.data.tfds_annotated import TFDSAnnotated
from sweet_keras.data.tfds_source import TFDSSource
from sweet_keras.data.voc_source import VocSource

__all__ = [
    "BOX_FORMATS",
    "FASHION_MNIST_CLASSES",
    "AnnotatedSource",
    "AnnotatedSubset",
    "ArraySource",
    "Augmentation",
    "CocoSource",
    "ImageFolder",
    "MaskFolder",
    "Placement",
    "RenumberedSource",
    "ScaleJitter",
    "Source",
    "Subset",
    "TFDSAnnotated",
    "TFDSSource",
    "VocSource",
    "annotated_pipeline",
    "clip_boxes",
    "convert_boxes",
    "count_boxes",
    "degenerate_boxes",
    "fashion_mnist",
    "holdout",
    "letterbox",
    "open_annotated",
    "open_source",
    "pipeline",
    "read_idx",
    "read_npz",
    "steps_per_epoch",
]
