"""A whole picture in an image of one size, as evaluation sees it."""

from __future__ import annotations

from collections.abc import Sequence

from sweet_keras.data.placement import Placement


def scaled_size(
    image_size: Sequence[int], target_size: Sequence[int], factor: float = 1.0
) -> tuple[int, int]:
    """The size of a picture that just fits into the target, times a factor.

    Args:
        image_size: Height and width of the picture.
        target_size: Height and width of the target.
        factor: By how much larger the picture becomes than what fits.

    Returns:
        Height and width in whole pixels of the target, at least 1.
    """
    scale = min(target_size[0] / image_size[0], target_size[1] / image_size[1]) * factor
    height, width = (max(1, int(side * scale + 0.5)) for side in image_size)
    return height, width


def letterbox(image_size: Sequence[int], target_size: Sequence[int]) -> Placement:
    """Lays a picture into the upper left corner of the target, as large as fits.

    The picture is scaled by `min(target height / height, target width / width)`,
    up to rounding its shorter side to whole pixels, and padded to the right or
    below. The upper left corner keeps the way back free of offsets, and
    positions in the picture that a model learns do not depend on its shape.

    Args:
        image_size: Height and width of the picture in pixels.
        target_size: Height and width of the image that the model takes.

    Returns:
        The placement: there with `draw_image`, `draw_mask` and `boxes_to_target`,
        back with `boxes_to_image` (clipped to the picture) and `map_to_image`.

    Raises:
        ValueError: If a size is not two positive whole numbers.

    Example:
        ```python
        place = letterbox(record["image"].shape[:2], (512, 512))
        found = model.predict(place.draw_image(record["image"])[None])
        boxes = place.boxes_to_image(found["boxes"][0])  # in pixels of the picture
        ```
    """
    for name, size in (("image_size", image_size), ("target_size", target_size)):
        if len(size) != 2 or any(side < 1 or side != int(side) for side in size):
            raise ValueError(
                f"`{name}` must be (height, width), whole and positive. Received: {name}={size}"
            )
    height, width = (int(side) for side in image_size)
    target_height, target_width = (int(side) for side in target_size)
    return Placement(
        image_size=(height, width),
        target_size=(target_height, target_width),
        scaled_size=scaled_size((height, width), (target_height, target_width)),
    )
