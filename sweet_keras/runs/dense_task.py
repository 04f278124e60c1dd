"""What detection and segmentation share: annotated images, and models of other libraries."""

from collections.abc import Iterable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import keras
import numpy as np

from sweet_keras.data import (
    AnnotatedSource,
    Source,
    Subset,
    annotated_pipeline,
    open_annotated,
)
from sweet_keras.models.resized_encoder import resized_encoder
from sweet_keras.models.vit_backbone import ViTBackbone
from sweet_keras.runs.learning_task import LearningTask
from sweet_keras.tasks.choose_head import choose_head
from sweet_keras.tasks.make_model import make_model
from sweet_keras.tasks.pyramid_of import pyramid_of


class DenseTask(LearningTask):
    """A prediction at every place of an image.

    Args:
        head: Name of the model, by default that of the task.
        library: `"keras_cv"`, `"keras_hub"`, or None for what is installed.
        anchor_size: See `sweet_keras.image_detector`; None for its default.
        **pyramid: Options of the feature pyramid, see there; None for their defaults.
    """

    def __init__(
        self,
        head: str | None = None,
        library: str | None = None,
        anchor_size: float | None = None,
        **pyramid: Any,
    ) -> None:
        """Keeps the arguments."""
        self.head = choose_head(self.name, head, library)
        self.options = {} if anchor_size is None else {"anchor_size": anchor_size}
        # Of each model what stands on its network, as it was made.
        self._first: WeakKeyDictionary[keras.Model, list[np.ndarray]] = WeakKeyDictionary()
        self.pyramid = {name: value for name, value in pyramid.items() if value is not None}

    def open(
        self, spec: str, split: str, channels: int, on_error: str = "raise"
    ) -> AnnotatedSource:
        """Opens annotated images."""
        return open_annotated(spec, split, task=self.name, channels=channels, on_error=on_error)

    def few(self, source: Source, count: int, seed: int) -> Source:
        """Draws images."""
        if not 0 < count <= len(source):
            raise ValueError(
                f"The number of labels must be from 1 to {len(source)}, the images there are. "
                f"Received: {count}"
            )
        drawn = np.random.default_rng(seed).permutation(len(source))[:count]
        return Subset(source, np.sort(drawn))

    def model(
        self,
        backbone: ViTBackbone,
        classes: tuple[str, ...],
        image_shape: tuple[int, int, int],
        optimizer: keras.optimizers.Optimizer,
        jit: bool | None = None,
    ) -> keras.Model:
        """Puts a pyramid and a model of a library on a copy of a network."""
        return make_model(
            self.head,
            backbone,
            classes,
            optimizer=optimizer,
            jit_compile="auto" if jit is None else jit,
            options=self.options,
            image_shape=image_shape,
            **self.pyramid,
        )

    def weights(self, vit: ViTBackbone, image_shape: tuple[int, int, int]) -> list[np.ndarray]:
        """Those of the same network for images of another size."""
        return resized_encoder(vit, image_shape).get_weights()

    def start(self, model: keras.Model, weights: Sequence[np.ndarray], seed: int) -> None:
        """Puts weights into the network; what stands on it gets its first values, shuffled.

        Entries of a random kernel in another order are another draw of the same distribution, and
        constant ones stay as they are: this asks no layer of another library how it was started.
        """
        encoder = encoder_of(model)
        encoder.set_weights(weights)
        apart = {id(v) for v in (*encoder.variables, *model.metrics_variables)}
        others = [variable for variable in model.variables if id(variable) not in apart]
        if model not in self._first:
            values = [keras.ops.convert_to_numpy(variable).copy() for variable in others]
            self._first[model] = values
        rng = np.random.default_rng(seed)
        for variable, value in zip(others, self._first[model], strict=True):
            # Integers are states of random generators.
            shuffled = rng.permutation(value.reshape(-1)) if value.dtype.kind == "f" else value
            variable.assign(shuffled.reshape(value.shape))

    def batches(
        self, source: Source, batch_size: int, image_shape: tuple[int, int, int], **options: Any
    ) -> Iterable:
        """Batches of images and boxes or masks."""
        return annotated_pipeline(
            source,
            batch_size,
            image_shape=image_shape,
            task=self.name,
            **options,
        )


def encoder_of(model: keras.Model) -> ViTBackbone:
    """The network within a detector or segmenter."""
    return pyramid_of(model).encoder
