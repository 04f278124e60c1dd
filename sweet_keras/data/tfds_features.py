"""What the features of tensorflow-datasets hold, taken as bytes and decoded here.

The collection's own decoder gives images of a dataset as gray or RGB by turns,
as each file is; and it has no way to tell their size without decoding them.
"""

from __future__ import annotations

import io
import os
from types import ModuleType
from typing import Any

import numpy as np

from sweet_keras.data.decode_image import open_image


def tfds_sources(
    reader: str, name: str, split: str, data_dir: str | os.PathLike[str] | None, download: bool
) -> tuple[ModuleType, Any, str]:
    """Opens the splits of a dataset.

    Args:
        reader: What wants it, for the message.
        name: Name in the collection.
        split: Split in its syntax.
        data_dir: Folder with the prepared datasets, or `None`.
        download: Whether to download and prepare what is missing.

    Returns:
        The package tensorflow-datasets, its sources by split, and which of them `split` is of.

    Raises:
        ImportError: If tensorflow-datasets is not installed.
        ValueError: If there is no such split.
    """
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise ImportError(
            f"{reader} needs tensorflow-datasets: pip install 'sweet_keras[tfds]'"
        ) from error
    sources = tfds.data_source(name, data_dir=data_dir, download=download)
    base = split.split("[")[0].strip()
    if base not in sources:
        raise ValueError(
            f"`split` must be one of {sorted(sources)} of {name!r}, or part of one. "
            f"Received: split={split!r}"
        )
    return tfds, sources, base


def open_tfds(
    name: str, split: str, data_dir: str | os.PathLike[str] | None, download: bool
) -> tuple[Any, Any]:
    """Opens a split with its images left encoded.

    Args:
        name: Name in the collection.
        split: Split in its syntax.
        data_dir: Folder with the prepared datasets, or `None`.
        download: Whether to download and prepare what is missing.

    Returns:
        The records, with random access, and the features of the dataset.

    Raises:
        ImportError: If tensorflow-datasets is not installed.
        ValueError: If there is no such split.
    """
    tfds, sources, base = tfds_sources("TFDSAnnotated", name, split, data_dir, download)
    features = sources[base].dataset_info.features
    encoded = {
        key: tfds.decode.SkipDecoding()
        for key, feature in features.items()
        if isinstance(feature, tfds.features.Image)
    }
    records = tfds.data_source(
        name, split=split, data_dir=data_dir, download=False, decoders=encoded
    )
    return records, features


def tfds_names(feature: Any) -> tuple[str, ...] | None:
    """Names of the classes of a label or of an image of labels.

    Args:
        feature: The feature.

    Returns:
        The names, or `None` if the dataset does not say them.
    """
    try:
        return tuple(feature.names) or None
    except (AttributeError, TypeError, ValueError):  # no such feature, or without names
        return None


def decode_pixels(stored: bytes | np.ndarray, channels: int, max_pixels: int) -> np.ndarray:
    """An image as it is stored, whatever orientation its EXIF block says.

    Args:
        stored: Bytes of an image file, or the pixels.
        channels: 1 for gray, 3 for RGB.
        max_pixels: Largest width times height to decode.

    Returns:
        uint8 `(height, width, channels)`.

    Raises:
        ValueError: If the bytes are no image, or the array is not uint8 of the
            shape `(height, width, 1 or 3)`.
    """
    from PIL import Image

    mode = "L" if channels == 1 else "RGB"
    if isinstance(stored, bytes):
        try:
            with open_image(io.BytesIO(stored), max_pixels) as image:
                pixels = np.array(image.convert(mode))
        except Exception as error:  # decoders raise nearly anything on corrupt data
            raise ValueError(f"unreadable image. Received: {error}") from error
        return pixels.reshape(*pixels.shape[:2], channels)
    pixels = np.array(stored)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[-1] not in (1, 3):
        raise ValueError(
            "Images must be uint8 of shape (height, width, 1 or 3). "
            f"Received: {pixels.dtype} of shape {pixels.shape}"
        )
    if pixels.shape[-1] == channels:
        return pixels
    squeezed = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    converted = np.array(Image.fromarray(squeezed).convert(mode))
    return converted.reshape(*converted.shape[:2], channels)


def pixel_size(stored: bytes | np.ndarray, max_pixels: int) -> tuple[int, int]:
    """Height and width of an image as it is stored, without decoding it.

    Args:
        stored: Bytes of an image file, or the pixels.
        max_pixels: Largest width times height to accept.

    Returns:
        Height and width in pixels.

    Raises:
        ValueError: If the bytes are no image, or a larger one.
    """
    if not isinstance(stored, bytes):
        return tuple(np.shape(stored)[:2])
    try:
        with open_image(io.BytesIO(stored), max_pixels) as image:
            return image.height, image.width
    except Exception as error:  # as above
        raise ValueError(f"unreadable image. Received: {error}") from error
