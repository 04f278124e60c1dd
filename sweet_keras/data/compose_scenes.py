"""Scenes of several objects, composed from images of one object on black."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np

from sweet_keras.data.cut_out import cut_out
from sweet_keras.data.scene_background import scene_background

# A pixel belongs to what makes up at least half of it.
_HALF = 128
_FEWEST_PIXELS = 16
_TRIES = 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class SceneOptions:
    """What scenes look like.

    Args:
        size: Height and width in pixels.
        counts: Fewest and most objects. A scene in which no place is left gets
            fewer than were drawn, but never none.
        scales: Least and largest side of an object's image, as a multiple of
            the side it comes with.
        visible: Least share of each object's pixels that is not covered by
            others, in [0, 1].

    Raises:
        ValueError: If a value is out of range.
    """

    size: tuple[int, int] = (64, 64)
    counts: tuple[int, int] = (1, 5)
    scales: tuple[float, float] = (0.6, 1.6)
    visible: float = 0.4

    def __post_init__(self) -> None:
        """Checks the ranges."""
        if len(self.size) != 2 or min(self.size) < 1:
            raise ValueError(f"`size` must be (height, width). Received: size={self.size}")
        if len(self.counts) != 2 or not 1 <= self.counts[0] <= self.counts[1]:
            raise ValueError(
                f"`counts` must be (fewest, most), at least 1. Received: counts={self.counts}"
            )
        if len(self.scales) != 2 or not 0 < self.scales[0] <= self.scales[1]:
            raise ValueError(
                f"`scales` must be (least, largest), positive. Received: scales={self.scales}"
            )
        if not 0 <= self.visible <= 1:
            raise ValueError(f"`visible` must be in [0, 1]. Received: visible={self.visible}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scene:
    """One composed image and what is in it, from the back to the front.

    Attributes:
        image: uint8 `(height, width)`.
        masks: bool `(n, height, width)`, the visible pixels of each object;
            no pixel belongs to two.
        boxes: float32 `(n, 4)`, xyxy in pixels, the bounds of the masks.
        objects: int32 `(n,)`, which of the images given each object is.
        scales: float64 `(n,)`, its side as a multiple of the image's.
    """

    image: np.ndarray
    masks: np.ndarray
    boxes: np.ndarray
    objects: np.ndarray
    scales: np.ndarray


def compose_scene(
    objects: np.ndarray,
    index: int,
    split: str = "train",
    seed: int = 0,
    options: SceneOptions | None = None,
) -> Scene:
    """Composes one scene.

    Draws objects, sizes and places one after the other. Each lies wholly
    within the picture and in front of those before it; it is drawn anew if it
    would cover too much of one of them.

    Args:
        objects: uint8 `(records, side, side)`, each one object on black.
        index: Which scene. It depends on the objects, the options, and
            `(seed, split, index)` only: not on the scenes before it.
        split: Name of the part of the data the scene is for.
        seed: Whole number.
        options: What scenes look like; `None` takes the defaults.

    Returns:
        The scene.

    Raises:
        ValueError: If the objects are no such images, do not fit into the
            picture, or are black.

    Example:
        ```python
        (x_train, _), _ = fashion_mnist()
        scene = compose_scene(x_train[..., 0], 0)
        ```
    """
    options = options or SceneOptions()
    side = _checked_side(objects, options)
    text = f"{seed}/{split}/{index}".encode()
    # Only random(), whose bits numpy has never changed: the other draws may differ by version.
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(text).digest(), "little"))
    levels = scene_background(rng, options.size)
    fewest, most = options.counts
    wanted = fewest + int((most - fewest + 1) * rng.random())
    masks = np.zeros((0, *options.size), bool)
    whole = np.zeros(0)  # pixels of each object if nothing covered it
    chosen: list[int] = []
    scales: list[float] = []
    tries = 0
    while len(chosen) < wanted and tries < _TRIES:
        tries += 1
        position = int(len(objects) * rng.random())
        wished = options.scales[0] + (options.scales[1] - options.scales[0]) * rng.random()
        layer, opacity = _placed(objects[position], round(side * wished), rng, options.size)
        mask = opacity >= _HALF
        left = masks & ~mask
        if mask.sum() < _FEWEST_PIXELS or (left.sum((1, 2)) < options.visible * whole).any():
            continue
        levels = levels * (1 - opacity / 255) + layer
        masks = np.concatenate([left, mask[None]])
        whole = np.append(whole, mask.sum())
        chosen.append(position)
        scales.append(round(side * wished) / side)
        tries = 0
    if not chosen:
        raise ValueError(
            f"`objects` must be bright on black. Received: {_TRIES} drawn from {len(objects)} "
            f"with fewer than {_FEWEST_PIXELS} pixels that are not black"
        )
    return Scene(
        image=np.clip(np.round(levels), 0, 255).astype(np.uint8),
        masks=masks,
        boxes=np.array([_bounds(mask) for mask in masks], np.float32),
        objects=np.array(chosen, np.int32),
        scales=np.array(scales),
    )


def _checked_side(objects: np.ndarray, options: SceneOptions) -> int:
    if objects.dtype != np.uint8 or objects.ndim != 3 or not len(objects):
        raise ValueError(
            "`objects` must be uint8 (records, side, side). "
            f"Received: {objects.dtype} of shape {objects.shape}"
        )
    side = objects.shape[1]
    smallest, largest = (round(side * scale) for scale in options.scales)
    if objects.shape[2] != side or smallest < 1 or largest > min(options.size):
        raise ValueError(
            "`objects` must be square, and at every scale no larger than a scene. "
            f"Received: shape {objects.shape}, scales={options.scales}, size={options.size}"
        )
    return side


def _placed(
    pixels: np.ndarray, side: int, rng: np.random.Generator, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Resizes an object and lays it somewhere on black.

    Returns:
        Its gray levels and its opacity, both float64 of the given size in [0, 255].
    """
    from PIL import Image

    planes = np.stack(
        [
            np.asarray(Image.fromarray(plane).resize((side, side), Image.Resampling.BICUBIC))
            for plane in (pixels, cut_out(pixels))
        ]
    )
    filled = planes[1] > 0
    left, top, right, bottom = _bounds(filled) if filled.any() else (0, 0, side, side)
    planes = planes[:, top:bottom, left:right]  # an object may lie anywhere, its margin aside
    y, x = (
        int((room - extent + 1) * rng.random())
        for room, extent in zip(size, planes.shape[1:], strict=True)
    )
    placed = np.zeros((2, *size))
    placed[:, y : y + bottom - top, x : x + right - left] = planes
    return placed[0], placed[1]


def _bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the pixels that are set; the last two exclusive."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
