"""From an image file to an array of pixels, with pillow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

# No other decoder is ever tried: pillow's PostScript one, for one, runs a program.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .jfif .png .webp .gif .bmp .tif .tiff .ppm .pgm .pbm .pnm".split()
)

_ORIENTATION_TAG = 0x0112
_BACKGROUND = 255


def decode_image(path: Path, channels: int, max_pixels: int) -> np.ndarray:
    """Reads one image as it is meant to be seen.

    The EXIF orientation is applied, a palette is looked up, transparency is
    laid on white, 16-bit gray is scaled to 8 bits, of an animation the first
    frame is taken.

    Args:
        path: The file: JPEG, PNG, WebP, GIF, BMP, TIFF or PPM, told by content.
        channels: 1 for gray, 3 for RGB.
        max_pixels: Largest width times height to decode.

    Returns:
        uint8 array of shape `(height, width, channels)`.

    Raises:
        ValueError: If the file is no such image, is truncated or corrupt, or
            larger than `max_pixels`. The message begins with the path.
    """
    try:
        with open_image(path, max_pixels) as image:
            image.load()  # PNG may hold its EXIF block behind the pixels
            pixels = np.array(_converted(_upright(image), channels))
    except Exception as error:  # decoders raise nearly anything on corrupt data
        raise ValueError(f"{path}: unreadable image. Received: {error}") from error
    return pixels.reshape(*pixels.shape[:2], channels)


def check_image(path: Path, channels: int, max_pixels: int) -> str | None:
    """Decodes an image as cheaply as finds every error, and forgets it.

    Args:
        path: The file.
        channels: 1 for gray, 3 for RGB.
        max_pixels: Largest width times height to decode.

    Returns:
        `None` for a sound image, else what is wrong with it.
    """
    try:
        with open_image(path, max_pixels) as image:
            # A JPEG is read to its end, but only an eighth of each side is computed.
            image.draft(None, (1, 1))
            _converted(image, channels)
    except Exception as error:  # as above
        return str(error) or type(error).__name__
    return None


def open_image(
    file: Path | BinaryIO, max_pixels: int, formats: Sequence[str] = FORMATS
) -> Image.Image:
    """Opens an image without decoding it.

    Args:
        file: The file.
        max_pixels: Largest width times height to accept.
        formats: What it may be, told by content.

    Raises:
        ValueError: If it is larger than `max_pixels`. Anything, if it is no such image.
    """
    from PIL import Image

    image = Image.open(file, formats=formats)
    if image.width * image.height > max_pixels:
        size = f"{image.width}x{image.height}"
        image.close()
        raise ValueError(f"{size} is more than max_pixels={max_pixels}")
    return image


def _upright(image: Image.Image) -> Image.Image:
    """Turns and mirrors the image as its EXIF orientation says."""
    from PIL import Image

    turn = Image.Transpose
    method = {
        2: turn.FLIP_LEFT_RIGHT,
        3: turn.ROTATE_180,
        4: turn.FLIP_TOP_BOTTOM,
        5: turn.TRANSPOSE,
        6: turn.ROTATE_270,
        7: turn.TRANSVERSE,
        8: turn.ROTATE_90,
    }.get(exif_orientation(image))
    return image if method is None else image.transpose(method)


def exif_orientation(image: Image.Image) -> int:
    """The EXIF orientation of an image, 1 to 8; 1 (upright) if it says none."""
    try:
        return image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # a broken EXIF block does not make the pixels unreadable
        return 1


def check_channels(channels: int) -> None:
    """Raises ValueError unless images can be decoded to so many channels."""
    if channels not in (1, 3):
        raise ValueError(f"`channels` must be 3 (RGB) or 1 (gray). Received: channels={channels}")


def _converted(image: Image.Image, channels: int) -> Image.Image | np.ndarray:
    """The image as 8-bit gray or RGB."""
    from PIL import Image

    if image.mode in ("I", "F"):
        raise ValueError(f"pixels of mode {image.mode!r} have no defined range")
    image.load()
    if image.mode.startswith("I;16"):
        gray = (np.asarray(image) >> 8).astype(np.uint8)
        return gray if channels == 1 else np.stack([gray] * channels, axis=-1)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        background = Image.new("RGBA", image.size, (_BACKGROUND,) * 4)
        image = Image.alpha_composite(background, image)
    return image.convert("L" if channels == 1 else "RGB")
