"""How a training image with boxes or a mask is scaled and cropped."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from sweet_keras.data.box_formats import clip_boxes, degenerate_boxes
from sweet_keras.data.letterbox import scaled_size
from sweet_keras.data.placement import Placement

PRESETS = ("detect", "segment")
# Random numbers for one image: scale, top, left, flip.
DRAWS = 4
# A box over the whole window is not to be lost to the rounding of its corners.
_ROUNDING = 1e-4


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScaleJitter:
    """A random scale, a random window, and a horizontal flip.

    The picture is scaled as `letterbox` does, times a random factor whose
    logarithm is uniform: twice as large is as likely as half as large. Along an
    axis in which it is then larger than the target, a window of the target's
    size is cropped at a random place; along one in which it is smaller, it lies
    at the top or left and the rest is padded. That is the place it has in
    evaluation: the padding is where a model with learned positions will meet it
    again, and the windows move the objects about enough.

    There is nothing else here: no colours, no erasing, no mixing of images.

    Args:
        scale: Least and largest factor; 1 is what just fits into the target.
        flip: Probability of mirroring left and right, in [0, 1].
        interpolation: `"bicubic"` or `"bilinear"`, both with antialiasing when
            they shrink, as pillow does. Masks always take the nearest pixel.
        min_visible: Boxes of which the window keeps less than this share of the
            area are dropped, in [0, 1].
        min_size: Boxes that are then narrower or lower than this many pixels of
            the target are dropped, 0 or more.

    Raises:
        ValueError: If a value is out of range.

    Example:
        ```python
        ScaleJitter.of("detect")                    # 0.8 to 1.25, flip 0.5
        ScaleJitter(scale=(0.1, 2.0))               # the large jitter of long trainings
        ```

    Reference:
        - [Ghiasi et al., 2021](https://arxiv.org/abs/2012.07177) (the jitter, 0.8 to
          1.25 and 0.1 to 2)
    """

    scale: tuple[float, float] = (0.8, 1.25)
    flip: float = 0.5
    interpolation: str = "bicubic"
    min_visible: float = 1 / 3
    min_size: float = 1.0

    def __post_init__(self) -> None:
        """Checks the ranges."""
        if not 0 < self.scale[0] <= self.scale[1] < math.inf:
            raise ValueError(
                f"`scale` must be (least, largest), positive. Received: scale={self.scale}"
            )
        if not 0 <= self.flip <= 1:
            raise ValueError(f"`flip` must be in [0, 1]. Received: flip={self.flip}")
        if self.interpolation not in ("bicubic", "bilinear"):
            raise ValueError(
                '`interpolation` must be "bicubic" or "bilinear". '
                f"Received: interpolation={self.interpolation!r}"
            )
        if not 0 <= self.min_visible <= 1:
            raise ValueError(
                f"`min_visible` must be in [0, 1]. Received: min_visible={self.min_visible}"
            )
        if not 0 <= self.min_size < math.inf:
            raise ValueError(f"`min_size` must be 0 or more. Received: min_size={self.min_size}")

    @classmethod
    def of(cls, spec: ScaleJitter | str | None) -> ScaleJitter:
        """Resolves what `annotated_pipeline` takes for `augment`.

        Args:
            spec: `"detect"` (0.8 to 1.25, flip), `"segment"` (0.5 to 2, flip), `None`
                (the letterbox of evaluation, no flip), or a `ScaleJitter`, which is
                returned as it is.

        Returns:
            The jitter.

        Raises:
            ValueError: If `spec` is none of these.
        """
        if isinstance(spec, cls):
            return spec
        if spec is None:
            return cls(scale=(1.0, 1.0), flip=0.0)
        if spec == "detect":
            return cls()
        if spec == "segment":
            return cls(scale=(0.5, 2.0))
        raise ValueError(
            f"`augment` must be None, one of {PRESETS}, or a ScaleJitter. "
            f"Received: augment={spec!r}"
        )

    def place(
        self, image_size: tuple[int, int], target_size: tuple[int, int], uniforms: np.ndarray
    ) -> Placement:
        """Draws where a picture comes to lie.

        Args:
            image_size: Height and width of the picture.
            target_size: Height and width of the target.
            uniforms: `(DRAWS,)` in [0, 1): scale, top, left, flip.

        Returns:
            The placement.
        """
        low, high = np.log(self.scale)
        factor = float(np.exp(low + (high - low) * uniforms[0]))
        scaled = scaled_size(image_size, target_size, factor)
        # One more place than there are pixels too many; none where the picture is smaller.
        top, left = (
            -math.floor(uniform * (max(0, side - target) + 1))
            for uniform, side, target in zip(uniforms[1:3], scaled, target_size, strict=True)
        )
        return Placement(
            image_size=image_size,
            target_size=target_size,
            scaled_size=scaled,
            top=top,
            left=left,
            flip=bool(uniforms[3] < self.flip),
        )

    def boxes_in(self, placement: Placement, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The boxes of a picture that the target shows enough of.

        Args:
            placement: Where the picture lies.
            boxes: `(n, 4)`, `"xyxy"` in pixels of the picture.

        Returns:
            All boxes `(n, 4)` in pixels of the target, clipped to it, and bool `(n,)`
            that says which of them are to be kept.
        """
        placed = placement.boxes_to_target(boxes)
        clipped = clip_boxes(placed, placement.target_size)
        kept = (1 - _ROUNDING) * self.min_visible * _areas(placed) <= _areas(clipped)
        return clipped, kept & ~degenerate_boxes(clipped, (1 - _ROUNDING) * self.min_size)


def _areas(boxes: np.ndarray) -> np.ndarray:
    return np.prod(boxes[..., 2:] - boxes[..., :2], axis=-1)
