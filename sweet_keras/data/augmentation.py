"""How a training image is cut out of its original."""

from __future__ import annotations

import dataclasses

PRESETS = ("mae", "classify")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Augmentation:
    """A random resized crop and a horizontal flip, or a centre crop.

    The crop takes a random share of the image's area at a random aspect and is
    resized to the shape asked for; ten draws are made, and if none fits into
    the image, the largest central crop within `ratio` is taken. There is
    nothing else here: no colours, no erasing, no mixing of images.

    Args:
        scale: Least and largest share of the area, in (0, 1]; `None` takes the
            central crop instead, and is what evaluation wants.
        ratio: Least and largest aspect (width / height) of the crop, relative
            to the aspect of the target.
        flip: Probability of mirroring left and right, in [0, 1].
        interpolation: `"bicubic"` or `"bilinear"`, both with antialiasing when
            they shrink, as pillow does.
        center_fraction: With `scale=None`, the side of the central crop as a
            fraction of the largest crop of the target's aspect, in (0, 1];
            0.875 is resizing to 256 and cropping to 224.

    Raises:
        ValueError: If a value is out of range.

    Example:
        ```python
        Augmentation.of("mae")                       # 0.2 to 1 of the area, flip 0.5
        Augmentation(scale=(0.08, 1.0), flip=0.0)    # stronger crop, digits
        ```

    Reference:
        - [Szegedy et al., 2015](https://arxiv.org/abs/1409.4842) (the crop)
        - [He et al., 2022](https://arxiv.org/abs/2111.06377) (scale for MAE)
    """

    scale: tuple[float, float] | None = (0.2, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    flip: float = 0.5
    interpolation: str = "bicubic"
    center_fraction: float = 1.0

    def __post_init__(self) -> None:
        """Checks the ranges."""
        if self.scale is not None and not 0 < self.scale[0] <= self.scale[1] <= 1:
            raise ValueError(
                f"`scale` must be (least, largest) in (0, 1]. Received: scale={self.scale}"
            )
        if not 0 < self.ratio[0] <= self.ratio[1]:
            raise ValueError(
                f"`ratio` must be (least, largest), positive. Received: ratio={self.ratio}"
            )
        if not 0 <= self.flip <= 1:
            raise ValueError(f"`flip` must be in [0, 1]. Received: flip={self.flip}")
        if self.interpolation not in ("bicubic", "bilinear"):
            raise ValueError(
                '`interpolation` must be "bicubic" or "bilinear". '
                f"Received: interpolation={self.interpolation!r}"
            )
        if not 0 < self.center_fraction <= 1:
            raise ValueError(
                "`center_fraction` must be in (0, 1]. "
                f"Received: center_fraction={self.center_fraction}"
            )

    @classmethod
    def of(cls, spec: Augmentation | str | None) -> Augmentation:
        """Resolves what `pipeline` takes for `augment`.

        Args:
            spec: `"mae"` (crop of 0.2 to 1 of the area, flip), `"classify"`
                (0.5 to 1), `None` (central crop, no flip), or an `Augmentation`,
                which is returned as it is.

        Returns:
            The augmentation.

        Raises:
            ValueError: If `spec` is none of these.
        """
        if isinstance(spec, cls):
            return spec
        if spec is None:
            return cls(scale=None, flip=0.0)
        if spec == "mae":
            return cls()
        if spec == "classify":
            return cls(scale=(0.5, 1.0))
        raise ValueError(
            f"`augment` must be None, one of {PRESETS}, or an Augmentation. "
            f"Received: augment={spec!r}"
        )
