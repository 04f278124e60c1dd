"""The pipeline as Keras takes it, on the backend that KERAS_BACKEND names."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from sweet_keras.data import ArraySource, pipeline, steps_per_epoch  # noqa: E402

SHAPE = (8, 8, 1)
# Keras 3.15 with torch on numpy 2: its own conversion of a tensor.
pytestmark = [
    pytest.mark.keras,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


@pytest.fixture
def source(rng):
    """Bright and dark images: learnt in a few steps."""
    labels = np.arange(70) % 2
    images = rng.integers(0, 80, (70, *SHAPE)) + 150 * labels[:, None, None, None]
    return ArraySource(images.astype(np.uint8), labels)


@pytest.fixture
def model():
    model = keras.Sequential(
        [keras.layers.Rescaling(1 / 127.5, -1), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss=loss, metrics=["accuracy"])
    return model


@pytest.mark.parametrize("workers", [0, 2])
def test_fit_and_evaluate(source, model, workers):
    train = pipeline(source, 16, image_shape=SHAPE, augment="mae", labels=True, workers=workers)
    steps = steps_per_epoch(source, 16)
    history = model.fit(train, steps_per_epoch=steps, epochs=4, shuffle=False, verbose=0)
    assert len(history.history["loss"]) == 4
    assert history.history["loss"][-1] < history.history["loss"][0]
    test = pipeline(
        source,
        16,
        image_shape=SHAPE,
        labels=True,
        shuffle=False,
        repeat=False,
        drop_remainder=False,
    )
    steps = steps_per_epoch(source, 16, drop_remainder=False)
    result = model.evaluate(test, steps=steps, verbose=0, return_dict=True)
    logits = model.predict(source.images, verbose=0)  # all 70, the partial batch among them
    assert result["accuracy"] == pytest.approx(np.mean(logits.argmax(-1) == source.labels))
    assert result["accuracy"] > 0.9


def test_fit_goes_through_the_steps_once(source):
    """What a training sees are batches 0, 1, 2 … and a resumed one goes on with the next."""

    class Recorder(keras.Model):
        def __init__(self):
            super().__init__()
            self.scale = self.add_weight(shape=(), initializer="ones")

        def call(self, images):
            return self.scale * keras.ops.cast(images, "float32")

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return keras.ops.mean(y_pred) * 1e-3

    def losses(start_step, epochs):
        model = Recorder()
        model.compile(optimizer=keras.optimizers.SGD(0.0))
        batches = pipeline(source, 16, image_shape=SHAPE, augment="mae", start_step=start_step)
        history = model.fit(batches, steps_per_epoch=2, epochs=epochs, shuffle=False, verbose=0)
        return history.history["loss"]

    expected = []
    batches = iter(pipeline(source, 16, image_shape=SHAPE, augment="mae"))
    for _ in range(3):
        expected.append(np.mean([next(batches).mean() * 1e-3 for _ in range(2)]))
    whole = losses(0, 3)
    np.testing.assert_allclose(whole, expected, rtol=1e-5)
    np.testing.assert_allclose(losses(4, 1), whole[2:], rtol=1e-6)
