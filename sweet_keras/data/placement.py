"""Where a picture of any size comes to lie in an image of the size a model takes."""

from __future__ import annotations

import dataclasses

import numpy as np

from sweet_keras.data.box_formats import PADDING, as_boxes, clip_boxes, is_padding
from sweet_keras.data.resize_image import resize_image

# Outside the picture: images are mid-gray, which is next to 0 once they are scaled to [-1, 1] and
# makes a weaker edge than black; masks are ignored there.
IMAGE_PADDING = 127
MASK_PADDING = 255


@dataclasses.dataclass(frozen=True, kw_only=True)
class Placement:
    """One affine map for the pixels, the boxes and the mask of a picture.

    The picture is resized to `scaled_size`, mirrored if `flip`, and laid into the
    target with its upper left corner at `(top, left)`. What of it lies outside
    the target is cropped, what of the target it leaves free is padded. Scales are
    those of the whole numbers in `scaled_size`, one for each axis, so that boxes
    follow the pixels exactly and not but for rounding.

    Boxes are `"xyxy"` in pixels, continuous: the pixel in row 0 and column 0 is
    the box `(0, 0, 1, 1)`.

    Args:
        image_size: Height and width of the picture in its own pixels.
        target_size: Height and width of the image that the model takes.
        scaled_size: Height and width of the whole picture in pixels of the target.
        top: Row of the target in which the picture begins; negative to crop.
        left: Column of the target in which it begins; negative to crop.
        flip: Whether the picture is mirrored left and right.
    """

    image_size: tuple[int, int]
    target_size: tuple[int, int]
    scaled_size: tuple[int, int]
    top: int = 0
    left: int = 0
    flip: bool = False

    def draw_image(self, image: np.ndarray, interpolation: str = "bicubic") -> np.ndarray:
        """The picture in the target.

        Args:
            image: uint8 `(*image_size, channels)`.
            interpolation: `"bicubic"` or `"bilinear"`, both with antialiasing when
                they shrink.

        Returns:
            uint8 `(*target_size, channels)`, 127 where there is no picture.

        Raises:
            ValueError: If `image` is not of `image_size`.
        """
        self._check("image", image)
        rows, columns = self._window()
        scale_y, scale_x = self._scales()
        box = np.array(
            [
                (rows.start - self.top) / scale_y,
                self._unflipped(columns) / scale_x,
                (rows.stop - rows.start) / scale_y,
                (columns.stop - columns.start) / scale_x,
            ]
        )
        size = (rows.stop - rows.start, columns.stop - columns.start)
        result = np.full((*self.target_size, image.shape[-1]), IMAGE_PADDING, np.uint8)
        result[rows, columns] = resize_image(image, box, size, interpolation, self.flip)
        return result

    def draw_mask(self, mask: np.ndarray, padding: int = MASK_PADDING) -> np.ndarray:
        """The mask in the target: each pixel takes the value at its centre.

        Args:
            mask: `(*image_size)`, values that must not be mixed.
            padding: The value where there is no picture.

        Returns:
            `(*target_size)` of the dtype of `mask`.

        Raises:
            ValueError: If `mask` is not of `image_size`.
        """
        self._check("mask", mask)
        rows, columns = self._window()
        scale_y, scale_x = self._scales()
        y = np.arange(rows.start, rows.stop) - self.top + 0.5
        x = np.arange(columns.start, columns.stop) - self.left + 0.5
        if self.flip:
            x = self.scaled_size[1] - x
        y, x = (y / scale_y).astype(np.intp), (x / scale_x).astype(np.intp)
        result = np.full(self.target_size, padding, mask.dtype)
        # The last centre lies within the picture, but not always after a division.
        height, width = self.image_size
        result[rows, columns] = mask[np.minimum(y, height - 1)[:, None], np.minimum(x, width - 1)]
        return result

    def boxes_to_target(self, boxes: np.ndarray) -> np.ndarray:
        """Where boxes of the picture lie in the target, not clipped to it.

        Args:
            boxes: `(..., 4)`, `"xyxy"` in pixels of the picture. Rows of -1 stay.

        Returns:
            A new array `(..., 4)`, `"xyxy"` in pixels of the target, of the same dtype;
            float32 if they are integers.
        """
        boxes = as_boxes(boxes)
        scale_y, scale_x = self._scales()
        x, y = boxes[..., 0::2].astype(float) * scale_x, boxes[..., 1::2].astype(float) * scale_y
        if self.flip:
            x = self.scaled_size[1] - x[..., ::-1]
        return _corners(boxes, x + self.left, y + self.top)

    def boxes_to_image(self, boxes: np.ndarray) -> np.ndarray:
        """Where boxes of the target lie in the picture, clipped to it.

        Args:
            boxes: `(..., 4)`, `"xyxy"` in pixels of the target. Rows of -1 stay.

        Returns:
            A new array `(..., 4)`, `"xyxy"` in pixels of the picture, of the same
            dtype. A box in the padding has no width or no height left.
        """
        boxes = as_boxes(boxes)
        scale_y, scale_x = self._scales()
        x, y = boxes[..., 0::2].astype(float) - self.left, boxes[..., 1::2].astype(float) - self.top
        if self.flip:
            x = self.scaled_size[1] - x[..., ::-1]
        return clip_boxes(_corners(boxes, x / scale_x, y / scale_y), self.image_size)

    def map_to_image(self, values: np.ndarray) -> np.ndarray:
        """A map over the target, such as a mask or logits, over the picture instead.

        Args:
            values: `(rows, columns)` or `(rows, columns, channels)` over the whole
                target, which may be coarser than it. Integers are taken from the
                cell that a pixel's centre lies in; floats (logits,
                probabilities) are interpolated linearly between the cells'
                centres, those of the padding left out. What of the picture was
                cropped takes the values at the edge.

        Returns:
            `(*image_size)` or `(*image_size, channels)`, of the dtype of `values`.
        """
        scales = self._scales()
        extents = zip(self._window(), scales, (self.top, self.left), strict=True)
        for axis, (window, scale, start) in enumerate(extents):
            cells = values.shape[axis]
            centres = (np.arange(self.image_size[axis]) + 0.5) * scale
            if axis == 1 and self.flip:
                centres = self.scaled_size[1] - centres
            step = self.target_size[axis] / cells
            positions = (centres + start) / step
            # Cells whose centre lies in the picture; at least one, however coarse the map is.
            first = min(int(np.ceil(window.start / step - 0.5)), cells - 1)
            last = max(int(np.ceil(window.stop / step - 0.5)) - 1, first)
            values = _sample(values, axis, positions, first, last)
        return values

    def _scales(self) -> tuple[float, float]:
        return (
            self.scaled_size[0] / self.image_size[0],
            self.scaled_size[1] / self.image_size[1],
        )

    def _window(self) -> tuple[slice, slice]:
        """Rows and columns of the target that the picture covers."""
        rows, columns = (
            slice(max(0, start), min(target, start + scaled))
            for start, scaled, target in zip(
                (self.top, self.left), self.scaled_size, self.target_size, strict=True
            )
        )
        return rows, columns

    def _unflipped(self, columns: slice) -> int:
        """First column of the scaled picture, before mirroring, that is shown."""
        if self.flip:
            return self.scaled_size[1] - (columns.stop - self.left)
        return columns.start - self.left

    def _check(self, name: str, array: np.ndarray) -> None:
        if array.shape[:2] != self.image_size:
            raise ValueError(
                f"`{name}` must be of height and width {self.image_size}. "
                f"Received: {name} of shape {array.shape}"
            )


def _corners(boxes: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    moved = np.stack([x[..., 0], y[..., 0], x[..., 1], y[..., 1]], axis=-1)
    return np.where(is_padding(boxes)[..., None], PADDING, moved).astype(boxes.dtype)


def _sample(
    values: np.ndarray, axis: int, positions: np.ndarray, first: int, last: int
) -> np.ndarray:
    """Values at positions (the cell i is [i, i + 1)), from the cells first to last."""
    if values.dtype.kind != "f":
        cells = np.clip(np.floor(positions).astype(np.intp), first, last)
        return values.take(cells, axis=axis)
    centres = np.clip(positions - 0.5, first, last)
    low = np.floor(centres).astype(np.intp)
    shape = [1] * values.ndim
    shape[axis] = -1
    weights = (centres - low).astype(values.dtype).reshape(shape)
    high = np.minimum(low + 1, last)
    return values.take(low, axis=axis) * (1 - weights) + values.take(high, axis=axis) * weights
