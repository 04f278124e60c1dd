"""The annotated pipeline as Keras takes it, on the backend that KERAS_BACKEND names."""

import itertools

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from sweet_keras.data import AnnotatedSource, annotated_pipeline, steps_per_epoch  # noqa: E402

SHAPE = (8, 8, 3)
# Keras 3.15 with torch on numpy 2: its own conversion of a tensor.
pytestmark = [
    pytest.mark.keras,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


class Halves(AnnotatedSource):
    """Pictures dark in one half and bright in the other; the bright half is the object."""

    name, classes, image_shape = "halves", ("left", "right"), (None, None, 3)
    mask_classes, problems, dropped_boxes = ("dark", "bright"), (), 0
    has_boxes = has_masks = True

    def __init__(self, rng):
        self.sizes = rng.integers(4, 7, (20, 2)) * 2

    def __len__(self):
        return len(self.sizes)

    def __getitem__(self, index):
        position = self._position(index)
        height, width = self.sizes[position]
        label = position % 2
        mask = np.zeros((height, width), np.uint8)
        half = slice(label * width // 2, (label + 1) * width // 2)
        mask[:, half] = 1
        return self.annotation(index) | {"image": np.stack([mask * 200] * 3, -1), "mask": mask}

    def annotation(self, index):
        position = self._position(index)
        height, width = self.sizes[position]
        label = position % 2
        return {
            "id": position,
            "image_size": (height, width),
            "boxes": np.array(
                [[label * width // 2, 0, (label + 1) * width // 2, height]], np.float32
            ),
            "classes": np.array([label], np.int32),
            "crowd": np.zeros(1, bool),
            "areas": np.array([height * width / 2], np.float32),
        }


@pytest.fixture
def source(rng):
    return Halves(rng)


def fit(model, batches, source, epochs):
    return model.fit(
        batches, steps_per_epoch=steps_per_epoch(source, 5), epochs=epochs, shuffle=False, verbose=0
    ).history["loss"]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_model_learns_boxes(source, workers):
    """The error before any step is that of zeros, which numpy finds from the same batches."""
    options = dict(image_shape=SHAPE, augment="detect", box_format="rel_xyxy", label_key="labels")
    images = keras.Input(SHAPE)
    features = keras.layers.Flatten()(keras.layers.Rescaling(1 / 127.5, -1)(images))
    dense = keras.layers.Dense(4, kernel_initializer="zeros")(features)
    labels = keras.layers.Dense(1, kernel_initializer="zeros")(features)
    model = keras.Model(
        images, {"boxes": keras.layers.Reshape((1, 4))(dense), "labels": labels}, name="boxes"
    )
    losses = {"boxes": "mse", "labels": "mse"}
    model.compile(optimizer=keras.optimizers.SGD(0.0), loss=losses)
    batches = annotated_pipeline(source, 5, workers=workers, **options)
    expected = [
        (targets["boxes"] ** 2).mean() + (targets["labels"] ** 2).mean()
        for _, targets in itertools.islice(batches, 4)
    ]
    assert fit(model, batches, source, 1)[0] == pytest.approx(np.mean(expected), rel=1e-5)
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss=losses)
    history = fit(model, batches, source, 6)
    assert history[-1] < 0.5 * history[0]


def test_a_model_learns_masks(source):
    batches = annotated_pipeline(source, 5, image_shape=SHAPE, task="segment", augment="segment")
    assert any((masks == 255).any() for _, masks in itertools.islice(batches, 4))
    model = keras.Sequential(
        [keras.layers.Rescaling(1 / 127.5, -1), keras.layers.Conv2D(2, 1), keras.layers.Softmax()]
    )

    def loss(masks, probabilities):
        """Flat, for torch: its gradient wants the pixels in one row."""
        return keras.losses.sparse_categorical_crossentropy(
            keras.ops.reshape(masks, (-1,)),
            keras.ops.reshape(probabilities, (-1, 2)),
            ignore_class=255,
        )

    model.compile(optimizer=keras.optimizers.Adam(0.05), loss=loss)
    history = fit(model, batches, source, 10)
    assert history[-1] < 0.5 * history[0]
    images, masks = next(iter(batches))
    predicted = model.predict(images, verbose=0).argmax(-1)
    known = masks != 255
    assert (predicted == masks)[known].mean() > 0.9
