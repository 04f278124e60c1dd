"""Options that say what networks are fine-tuned for."""

from typing import Any, Literal

from sweet_keras.runs.config import Config, option

ANNOTATED = (
    "to detect, a COCO or Pascal VOC folder or 'tfds:NAME'; to segment, one of these or a folder "
    "of images and masks"
)

_DENSE = ("head", "library", "pyramid_channels", "window", "anchor_size")


class TaskConfig(Config):
    """The task, and what of another library is put on a network for it."""

    task: Literal["classify", "detect", "segment"] = option(
        "classify",
        "What is learned: the class of an image, boxes of objects, or the class of each pixel.",
        group="Task",
    )
    head: str | None = option(
        None,
        "Model that is put on the network. detect: retinanet (default) or yolov8; segment: "
        "segformer (default) or deeplab.",
        group="Task",
        metavar="MODEL",
    )
    library: Literal["keras_cv", "keras_hub"] | None = option(
        None, "Library of that model; by default the one that is installed.", group="Task"
    )
    pyramid_channels: int | None = option(
        None, "Channels of the feature pyramid, 256 by default.", group="Task"
    )
    window: int | None = option(
        None,
        "Limit attention to windows of so many patches on a side, but for four blocks; by default "
        "it is not limited.",
        group="Task",
    )
    anchor_size: float | None = option(
        None,
        "Side of a RetinaNet's smallest anchor of a level, in strides of that level, 4 by default: "
        "32 pixels. Lower it for smaller objects.",
        group="Task",
    )

    def check(self) -> None:
        """Checks every range."""
        super().check()
        for name in _DENSE:
            value = getattr(self, name)
            dense = self.task in ("detect", "segment")
            self.require(name, value is None or dense, f"left out to {self.task}")
            positive = value is None or isinstance(value, str) or value > 0
            self.require(name, positive, "positive")

    def task_recipe(self) -> dict[str, Any]:
        """Returns what decides a fine-tuning besides the options of every task."""
        if self.task == "classify":
            return {}
        return {name: getattr(self, name) for name in ("task", *_DENSE)}
