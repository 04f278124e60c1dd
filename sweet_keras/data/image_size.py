"""The size of an image, without decoding it where possible."""

from __future__ import annotations

from pathlib import Path

from sweet_keras.data.decode_image import exif_orientation, open_image

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
    try:
        with open_image(path, max_pixels) as image:
            width, height = image.size
            sideways = exif_orientation(image) in _SIDEWAYS
    except Exception as error:  # decoders raise nearly anything on corrupt data
        raise ValueError(f"{path}: unreadable image. Received: {error}") from error
    return (width, height) if sideways else (height, width)
