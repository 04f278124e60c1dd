"""How many boxes the images of a source have."""

from __future__ import annotations

import numpy as np

from sweet_keras.data.annotated_source import AnnotatedSource


def count_boxes(source: AnnotatedSource) -> np.ndarray:
    """Counts the boxes to be trained on, those of crowds left out.

    Asks the source for each annotation, which most formats know without
    decoding a picture.

    Args:
        source: A source with boxes.

    Returns:
        int32 `(len(source),)`, the number of boxes of each record.

    Raises:
        ValueError: If the source has no boxes.

    Example:
        ```python
        (count_boxes(source) > 50).sum()  # images that lose boxes with max_boxes=50
        ```
    """
    if not source.has_boxes:
        raise ValueError(f"`source` must have boxes. Received: source={source!r}")
    crowds = (source.annotation(position)["crowd"] for position in range(len(source)))
    return np.fromiter((np.sum(~crowd) for crowd in crowds), np.int32, len(source))
