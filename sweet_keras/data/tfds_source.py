"""Datasets of tensorflow-datasets, read without TensorFlow."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from sweet_keras.data.source import Source
from sweet_keras.data.tfds_features import tfds_sources


class TFDSSource(Source):
    """A dataset of the tensorflow-datasets collection.

    Read by `tfds.data_source` from array_record files; TensorFlow is not
    imported. (Preparing a dataset for the first time downloads it, and some
    builders need TensorFlow for that. A dataset that was prepared as tfrecord
    has to be prepared once more, as array_record.) The image and the label are
    the dataset's supervised pair, or else its features `image` and `label`.

    Args:
        name: Name in the collection, with `/config` and `:version` if wanted.
        split: Split in the syntax of the collection, such as `"train"`,
            `"test"` or `"train[:10%]"`.
        data_dir: Folder with the prepared datasets; by default the
            collection's own.
        download: Whether to download and prepare the dataset if it is not in
            `data_dir`.

    Raises:
        ImportError: If tensorflow-datasets is not installed.
        ValueError: If there is no such split, or no image in the dataset.

    Example:
        ```python
        source = TFDSSource("oxford_flowers102", split="train")
        ```
    """

    def __init__(
        self,
        name: str,
        split: str = "train",
        data_dir: str | os.PathLike[str] | None = None,
        download: bool = True,
    ):
        tfds, sources, base = tfds_sources("TFDSSource", name, split, data_dir, download)
        whole = split.strip() == base
        self._records = (
            sources[base]
            if whole
            else tfds.data_source(name, split=split, data_dir=data_dir, download=False)
        )
        info = sources[base].dataset_info
        self._image_key, self._label_key = _keys(info)
        if self._image_key is None:
            raise ValueError(
                "Expected a dataset with an image. "
                f"Received: name={name!r} with features {sorted(info.features)}"
            )
        self.name = name
        self.split = split
        self.has_labels = self._label_key is not None
        self.classes = None
        if self.has_labels:
            names = getattr(info.features[self._label_key], "names", None)
            self.classes = tuple(names) if names else None
        self.image_shape = tuple(info.features[self._image_key].shape)

    def __len__(self) -> int:
        """The number of records in the split."""
        return len(self._records)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Reads and decodes one record.

        Raises:
            ValueError: If its image is not uint8 `(height, width, channels)`.
        """
        example = self._records[self._position(index)]
        image = np.asarray(example[self._image_key])
        if image.dtype != np.uint8 or image.ndim != 3:
            raise ValueError(
                "Images must be uint8 of shape (height, width, channels). Received: record "
                f"{index} of {self!r} with {image.dtype} of shape {image.shape}"
            )
        record: dict[str, Any] = {"image": image}
        if self._label_key is not None:
            record["label"] = int(example[self._label_key])
        return record


def _keys(info: Any) -> tuple[str | None, str | None]:
    """The features that hold the image and the label (an integer)."""
    image, label = "image", "label"
    if info.supervised_keys is not None and len(info.supervised_keys) == 2:
        image, label = info.supervised_keys
    features = info.features
    if image not in features or len(features[image].shape or ()) != 3:
        return None, None
    is_label = (
        label in features
        and features[label].shape == ()
        and np.issubdtype(features[label].np_dtype, np.integer)
    )
    return image, label if is_label else None
