import keras
import numpy as np
import pytest

from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.training import Diverged, adamw, session, train

pytestmark = pytest.mark.keras


def make(seed=0, learning_rate=0.1):
    with session("float32", seed):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(adamw(learning_rate, 10, 0.0, 0.0), loss="mse")
    return model


def batches(start_step):
    while True:
        yield np.ones((2, 2), "float32"), np.full((2, 1), start_step % 7, "float32")


def keras_batches(batches):
    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return len(batches)

        def __getitem__(self, index):
            return batches[index]

    return Batches()


def run_training(model, run, console, **options):
    options = {"steps_per_epoch": 2, "epochs": 3, **options}
    return train(model, run, batches, label="training", console=console, **options)


def test_a_broken_network_is_an_error_and_is_not_saved(tmp_path, console):
    run = RunDirectory(tmp_path / "run")
    run.start()
    model = make()
    run_training(model, run, console, epochs=1)
    (saved,) = run.checkpoints.iterdir()
    before = saved.read_bytes()
    model.layers[0].kernel.assign([[float("nan")], [0.0]])
    with pytest.raises(Diverged, match=r"up to step 2.*1 weights are not finite.*kernel.*Try a lo"):
        run_training(model, run, console)
    assert [*run.checkpoints.iterdir()] == [saved] and saved.read_bytes() == before


def test_a_validation_that_is_not_finite_is_an_error(tmp_path, console):
    run = RunDirectory(tmp_path / "run")
    run.start()
    validation = [(np.full((2, 2), np.inf, "float32"), np.ones((2, 1), "float32"))]
    with pytest.raises(Diverged, match=r"val_loss became (nan|inf) in epoch 1"):
        run_training(make(), run, console, validation=keras_batches(validation))


def test_a_finished_training_is_not_gone_on_with(tmp_path, console):
    run = RunDirectory(tmp_path / "run")
    run.start()
    first, second = make(), make(seed=1)
    seconds = run_training(first, run, console)
    again = run_training(second, run, console, resume=True)
    np.testing.assert_array_equal(second.get_weights()[0], first.get_weights()[0])
    assert 0 < again < seconds + 1


def test_a_session_decides_initial_weights_and_precision_and_leaves_no_trace():
    policy = keras.config.dtype_policy()
    one, same, other = (make(seed).get_weights()[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0
    with session("mixed_bfloat16", 0):
        assert keras.layers.Dense(1).compute_dtype == "bfloat16"
    assert keras.config.dtype_policy() == policy


def test_biases_are_not_decayed():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, bias_initializer="ones")])
    model.compile(adamw(0.1, 10, 0.0, 0.5), loss=lambda y, p: 0.0 * keras.ops.sum(p))
    kernel, _ = before = model.get_weights()
    model.fit(np.ones((2, 2), "float32"), np.ones((2, 1), "float32"), verbose=0)
    after = model.get_weights()
    np.testing.assert_allclose(after[0], kernel * (1 - 0.1 * 0.5), rtol=1e-5)
    np.testing.assert_array_equal(after[1], before[1])
