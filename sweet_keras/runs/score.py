"""How well a network does on labelled images."""

import dataclasses
from collections.abc import Mapping

# What `Score.overall` is called, by the task.
METRICS = {"classify": "accuracy", "detect": "AP", "segment": "mIoU"}
# The same at the head of a table.
TITLES = {"accuracy": "Accuracy", "AP": "Average precision (AP)", "mIoU": "Mean IoU"}
# What is counted in `Score.counts`, by the name of the measure.
COUNTED = {"accuracy": "images", "AP": "objects", "mIoU": "pixels"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Score:
    """What was measured on labelled images.

    Attributes:
        overall: Accuracy, average precision (AP), or mean intersection over union (mIoU), in
            [0, 1].
        by_class: The same of each class; None where there is nothing of it.
        counts: Images, objects or pixels of each class.
        images: Images in all.
        more: Further measures by name, in [0, 1], such as AP50; None where there is no such object.
    """

    overall: float
    by_class: tuple[float | None, ...]
    counts: tuple[int, ...]
    images: int
    more: Mapping[str, float | None] = dataclasses.field(default_factory=dict)
