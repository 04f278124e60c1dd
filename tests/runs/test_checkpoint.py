import keras
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from sweet_keras.runs import checkpoint
from sweet_keras.runs.checkpoint import (
    Position,
    Unreadable,
    restore_checkpoint,
    save_checkpoint,
    training_state,
)

pytestmark = pytest.mark.keras


def classifier(width=4, dtype="float32", seed=5):
    model = keras.Sequential(
        [
            keras.layers.Dense(width, activation="relu", dtype=dtype),
            keras.layers.Dropout(0.5, seed=seed),
            keras.layers.Dense(1, dtype=dtype),
        ]
    )
    model.build((None, 3))
    model.compile(keras.optimizers.AdamW(0.01), loss="mse", metrics=["mae"])
    return model


def values(model):
    return {
        name: np.array(keras.ops.convert_to_numpy(variable.value)).astype("float64")
        for name, variable in training_state(model).items()
    }


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_everything_comes_back(rng, tmp_path, dtype):
    x, y = rng.normal(size=(8, 3)).astype("float32"), rng.normal(size=(8, 1)).astype("float32")
    model = classifier(dtype=dtype)
    model.fit(x, y, batch_size=4, epochs=2, verbose=0)
    before = values(model)
    save_checkpoint(model, tmp_path / "state.safetensors", Position(epoch=2))
    other = classifier(dtype=dtype)
    assert restore_checkpoint(other, tmp_path / "state.safetensors").position == Position(epoch=2)
    assert_same(values(other), before)
    # Weights, the state of the dropout's generator, the optimizer's slots and counter; no metrics.
    assert len(before) == len(model.weights) + 1 + len(model.optimizer.variables)
    # What comes next is the same, dropout included.
    model.fit(x, y, batch_size=4, epochs=1, verbose=0, shuffle=False)
    other.fit(x, y, batch_size=4, epochs=1, verbose=0, shuffle=False)
    assert_same(values(other), values(model))


def test_dropout_without_a_seed_goes_on_as_if_nothing_had_happened(rng, tmp_path):
    """On torch its numbers come from no variable of the model."""
    x, y = rng.normal(size=(8, 3)).astype("float32"), rng.normal(size=(8, 1)).astype("float32")

    def train(model):
        return model.fit(x, y, batch_size=2, epochs=1, verbose=0, shuffle=False).history["loss"]

    model = classifier(seed=None)
    train(model)
    save_checkpoint(model, tmp_path / "state.safetensors", Position(epoch=1))
    expected = train(model)
    keras.utils.set_random_seed(99)
    other = classifier(seed=None)
    keras.random.uniform((5,))
    train(other)
    restore_checkpoint(other, tmp_path / "state.safetensors")
    assert train(other) == expected
    assert_same(values(other), values(model))


def test_a_write_that_dies_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "state.safetensors"
    model = classifier()
    save_checkpoint(model, path, Position(epoch=1))
    before = values(model)

    def dies(arrays, file, metadata):
        file.write_bytes(b"half a file")
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "save_file", dies)
    model.layers[0].kernel.assign(np.ones((3, 4)))
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(model, path, Position(epoch=2))
    monkeypatch.undo()
    assert [item.name for item in path.parent.iterdir()] == [path.name]
    other = classifier()
    assert restore_checkpoint(other, path).position.epoch == 1
    assert_same(values(other), before)


def test_another_model(tmp_path):
    save_checkpoint(classifier(4), tmp_path / "state.safetensors", Position(epoch=1))
    with pytest.raises(ValueError, match=r"of the same model and optimizer\. Received"):
        restore_checkpoint(classifier(5), tmp_path / "state.safetensors")


@pytest.mark.parametrize("content", [None, b"", b"nonsense" * 10])
def test_no_checkpoint(tmp_path, content):
    if content is not None:
        (tmp_path / "state.safetensors").write_bytes(content)
    with pytest.raises(Unreadable, match=r"Expected the checkpoint .*Received"):
        restore_checkpoint(classifier(), tmp_path / "state.safetensors")


@pytest.mark.once
def test_no_damage_goes_unnoticed(rng, tmp_path):
    path = tmp_path / "state.safetensors"
    model = classifier()
    save_checkpoint(model, path, Position(epoch=1, step=3, seconds=1.5, skipped_before=2))
    whole = path.read_bytes()
    for place in rng.integers(0, len(whole), 100):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        # Blanks of the header may become other blanks; all else is an error or changes nothing.
        try:
            position = restore_checkpoint(model, path).position
        except ValueError as error:
            assert "Received" in str(error)
        else:
            assert position.epoch == 1
    for length in rng.integers(0, len(whole), 20):
        path.write_bytes(whole[:length])
        with pytest.raises(Unreadable):
            restore_checkpoint(model, path)


@pytest.mark.once
def test_files_of_older_versions(tmp_path):
    path = tmp_path / "state.safetensors"
    model = classifier()
    save_checkpoint(model, path, Position(epoch=4))
    arrays = load_file(path)
    save_file(arrays, path, metadata={"training": '{"epoch": 4}'})
    assert restore_checkpoint(model, path).position == Position(epoch=4)
