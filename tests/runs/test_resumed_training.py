"""Trainings that are cut off within an epoch go on as if nothing had happened."""

import contextlib
import errno
import os
import shutil
import signal

import keras
import numpy as np
import pytest

from sweet_keras.core import atomic
from sweet_keras.runs.checkpoints import Checkpoints, NotSaved
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.interruption import Interrupted
from sweet_keras.runs.read_log import read_log
from sweet_keras.runs.resumable_steps import ResumableSteps
from sweet_keras.runs.saving import Saving
from sweet_keras.runs.skipped_steps import Diverged, SkippedSteps
from sweet_keras.runs.training import adamw, session, train

pytestmark = pytest.mark.keras

STEPS, EPOCHS = 5, 3


class Killed(BaseException):
    """Not caught by anything."""


class AtStep(keras.callbacks.Callback):
    """Does something after a step, counted from one over all epochs."""

    def __init__(self, step, action):
        super().__init__()
        self.step, self.action, self.seen = step, action, []

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(self.epoch * self.params["steps"] + batch + 1)
        if self.seen[-1] == self.step:
            assert self.model  # asking for it brings the state of JAX back into the variables
            self.action()


def make():
    with session("float32", 0):
        model = keras.Sequential(
            [keras.Input((3,)), keras.layers.Dropout(0.3), keras.layers.Dense(2)]
        )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(adamw(0.05, STEPS * EPOCHS, 0.1, 0.05), loss=loss, metrics=["accuracy"])
    return model


def batches(start_step, poisoned=()):
    step = start_step
    while True:
        rng = np.random.default_rng(step)
        x = rng.normal(size=(4, 3)).astype("float32")
        yield (np.nan * x if step + 1 in poisoned else x), rng.integers(0, 2, (4, 1))
        step += 1


def run_training(model, folder, console, *, poisoned=(), callbacks=(), resume=False, **saving):
    run = RunDirectory(folder)
    if not resume:
        run.start()
    train(
        model,
        run,
        lambda start_step: batches(start_step, poisoned),
        steps_per_epoch=STEPS,
        epochs=EPOCHS,
        label="training",
        console=console,
        callbacks=callbacks,
        resume=resume,
        saving=Saving(minutes=0, **saving),
    )
    rows = read_log(run.log)
    for row in rows:
        assert row.pop("seconds") >= 0
    return [variable.numpy() for variable in model.optimizer.variables + model.weights], rows


def raises(error):
    def action():
        raise error

    return action


def assert_equal(one, other):
    for a, b in zip(one[0], other[0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert one[1] == other[1]


def test_within_an_epoch(tmp_path, console):
    """Weights, slots, dropout, batches, schedule, and the means of the epoch in the log."""
    whole = run_training(make(), tmp_path / "whole", console)
    assert [row["epoch"] for row in whole[1]] == [1, 2, 3]
    folder, watch = tmp_path / "killed", AtStep(9, raises(Killed()))
    with pytest.raises(Killed):
        run_training(make(), folder, console, callbacks=[watch], steps=2)
    # Twice more, now from step 8, the third of the second epoch.
    keras.utils.set_random_seed(7)
    keras.random.uniform((3,))
    watch = AtStep(12, raises(Killed()))
    with pytest.raises(Killed):
        run_training(make(), folder, console, callbacks=[watch], steps=2, resume=True)
    assert watch.seen == [9, 10, 11, 12]
    watch = AtStep(0, None)
    again = run_training(make(), folder, console, callbacks=[watch], steps=2, resume=True)
    assert watch.seen == [11, 12, 13, 14, 15]
    assert_equal(again, whole)


def test_a_poisoned_batch_is_left_out(tmp_path, console):
    whole = run_training(make(), tmp_path / "whole", console)
    model = make()
    seen = run_training(model, tmp_path / "poisoned", console, poisoned=[4])
    losses = [row["loss"] for row in seen[1]]
    assert np.isfinite(losses).all() and losses[0] != whole[1][0]["loss"]
    assert [row["skipped_steps"] for row in seen[1]] == [1, 1, 1]
    assert int(model.optimizer.iterations.numpy()) == STEPS * EPOCHS - 1
    assert type(model.optimizer).__name__ == "AdamW"
    assert "1 of the steps up to 5 skipped" in console.file.getvalue()


def test_only_the_poisoned_step_is_left_out(tmp_path, console):
    """Two poisoned steps at the end of an epoch, which is the last: weights and slots stay."""
    watched = []

    def look():
        watched.append([variable.numpy() for variable in model.weights])

    model, callback = make(), AtStep(3, look)
    with pytest.raises(Diverged, match=r"2 steps skipped up to step 5.*All weights are finite"):
        run_training(
            model, tmp_path / "a", console, poisoned=[4, 5], callbacks=[callback], skip_limit=2
        )
    for before, after in zip(watched[0][:2], model.weights[:2], strict=False):
        np.testing.assert_array_equal(after.numpy(), before)


def test_many_skipped_steps_lower_the_rate_and_then_end_it(tmp_path, console, monkeypatch):
    monkeypatch.setattr(SkippedSteps, "EVERY", 2)
    model = make()
    poisoned = [3, 4, 9, 10, 11]
    whole = run_training(model, tmp_path / "a", console, poisoned=poisoned)
    assert "the learning rate is now 0.5 of" in console.file.getvalue()
    assert model.optimizer.get_config()["learning_rate"]["config"]["peak"] == 0.05 / 4
    # An interruption between does not change what follows.
    options = {"poisoned": poisoned, "steps": 1}
    with pytest.raises(Killed):
        run_training(
            make(), tmp_path / "b", console, callbacks=[AtStep(10, raises(Killed()))], **options
        )
    assert_equal(run_training(make(), tmp_path / "b", console, resume=True, **options), whole)
    with pytest.raises(Diverged, match=r"4 steps skipped up to step 10.*All weights are finite.*"):
        run_training(make(), tmp_path / "c", console, poisoned=poisoned, skip_limit=4)


@pytest.mark.once
@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize(("number", "step"), [(signal.SIGTERM, 7), (signal.SIGINT, 10)])
def test_a_signal_is_answered_after_the_step(tmp_path, console, number, step):
    before = signal.getsignal(number)
    whole = run_training(make(), tmp_path / "whole", console)
    sends = AtStep(step, lambda: os.kill(os.getpid(), number))
    with pytest.raises(Interrupted, match=r"saved after (step 2 of )?epoch 2") as caught:
        run_training(make(), tmp_path / "run", console, callbacks=[sends])
    assert caught.value.signal == number and sends.seen[-1] == step
    assert signal.getsignal(number) is before
    assert_equal(run_training(make(), tmp_path / "run", console, resume=True), whole)


@pytest.mark.once
def test_the_last_few_are_kept_and_a_damaged_one_is_passed_over(tmp_path, console):
    whole = run_training(make(), tmp_path / "run", console, steps=1, keep=3)
    checkpoints = Checkpoints(tmp_path / "run" / "checkpoint")
    names = [path.name for path in checkpoints.files()]
    assert names == [f"step-{n:09d}.safetensors" for n in (15, 14, 13)]
    newest, second, _ = checkpoints.files()
    newest.write_bytes(newest.read_bytes()[:-5])
    damaged = bytearray(second.read_bytes())
    damaged[-3] ^= 4
    second.write_bytes(damaged)
    (newest.parent / ".step-000000099-x.safetensors").write_bytes(b"half")
    with (
        pytest.warns(UserWarning, match="older checkpoint, step-000000014"),
        pytest.warns(UserWarning, match=r"older checkpoint, step-000000013.*check sum"),
    ):
        again = run_training(make(), tmp_path / "run", console, resume=True)
    assert_equal(again, whole)
    assert not list(newest.parent.glob(".*"))
    for path in checkpoints.files():
        path.write_bytes(b"x")
    with (
        pytest.warns(UserWarning, match="older"),
        pytest.raises(ValueError, match=r"Expected the checkpoint.*Received"),
    ):
        run_training(make(), tmp_path / "run", console, resume=True)


@pytest.mark.once
def test_minutes(tmp_path, console, monkeypatch):
    """A clock that ticks 25 seconds at each look."""
    seconds = iter(range(0, 10**6, 25))
    original = ResumableSteps.__init__

    def slow(self, *args, **kwargs):
        original(self, *args, **kwargs, clock=lambda: float(next(seconds)))

    saved = []
    monkeypatch.setattr(ResumableSteps, "__init__", slow)
    monkeypatch.setattr(Checkpoints, "save", lambda *arguments: saved.append(arguments[-1]))
    run = RunDirectory(tmp_path / "run")
    run.start()
    options = {"steps_per_epoch": 12, "epochs": 1, "label": "", "console": console}
    train(make(), run, batches, **options, saving=Saving(minutes=2))
    assert saved[-1] == 12 and 1 < len(saved) < 5


@pytest.mark.once
@pytest.mark.parametrize("name", ["checkpoint", "log"])
def test_a_full_disk(tmp_path, console, name, monkeypatch):
    flush, count = atomic._flush, [0]

    def full(path):
        count[0] += "step-" in path.name if name == "checkpoint" else "log" in path.name
        if count[0] == 3:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        flush(path)

    monkeypatch.setattr(atomic, "_flush", full)
    with pytest.raises(NotSaved, match=r"No space left.*The last checkpoint is .*step-.*--resume"):
        run_training(make(), tmp_path / "run", console)
    monkeypatch.undo()
    left = [path.name for path in (tmp_path / "run").rglob("*") if path.name.startswith(".")]
    assert left == []
    with contextlib.suppress(NotSaved):
        again = run_training(make(), tmp_path / "run", console, resume=True)
    assert_equal(again, run_training(make(), tmp_path / "whole", console))


@pytest.mark.once
def test_the_folder_goes(tmp_path, console):
    folder = tmp_path / "run"
    gone = AtStep(6, lambda: shutil.rmtree(folder / "checkpoint"))
    whole = run_training(make(), folder, console, callbacks=[gone])
    assert len(list((folder / "checkpoint").iterdir())) == 2
    assert_equal(whole, run_training(make(), tmp_path / "whole", console))
    gone = AtStep(6, lambda: shutil.rmtree(tmp_path / "all"))
    with pytest.raises(NotSaved, match=r"could not be written.*There is no checkpoint yet"):
        run_training(make(), tmp_path / "all", console, callbacks=[gone])
    assert not (tmp_path / "all" / "checkpoint").exists()
