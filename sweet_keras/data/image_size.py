"""The size of an image, without decoding it where possible."""

from __future__ import annotations

from pathlib import Path

from sweet_keras.data.decode_image import FORMATS

_ORIENTATION_TAG = 0x0112
_SIDEWAYS = (5, 6, 7, 8)


def image_size(path: Path, max_pixels: int) -> tuple[int, int]:
    """Reads the height and the width that `decode_image` would give.

    Args:
        path: The file.
        max_pixels: Largest width times height to accept.

    Returns:
        Height and width in pixels, upright as the EXIF orientation says.

    Raises:
        ValueError: If the file is no image or larger than `max_pixels`. The
            message begins with the path.
    """
    from PIL import Image

    try:
        with Image.open(path, formats=FORMATS) as image:
            width, height = image.size
            if width * height > max_pixels:
                raise ValueError(f"{width}x{height} is more than max_pixels={max_pixels}")
            try:
                orientation = image.getexif().get(_ORIENTATION_TAG, 1)
            except Exception:  # a broken EXIF block is no broken image, see decode_image
                orientation = 1
    except Exception as error:  # decoders raise nearly anything on corrupt data
        raise ValueError(f"{path}: unreadable image: {error}") from error
    return (width, height) if orientation in _SIDEWAYS else (height, width)
