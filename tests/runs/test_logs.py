import io

import keras
import numpy as np
import pytest
from rich.console import Console

from sweet_keras.runs.logs import CSVLog, TensorBoardLog
from sweet_keras.runs.progress import ProgressBar, batches_bar, closing, steps_bar
from sweet_keras.runs.read_log import read_log

pytestmark = pytest.mark.keras


@pytest.fixture
def model():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", loss="mse")
    return model


def fit(model, callbacks, start=0, epochs=3, **options):
    x, y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
    with closing(callbacks):
        return model.fit(
            x,
            y,
            batch_size=2,
            initial_epoch=start,
            epochs=epochs,
            callbacks=callbacks,
            verbose=0,
            **options,
        )


def test_csv_has_each_epoch_once(model, tmp_path):
    path = tmp_path / "log.csv"
    history = fit(model, [CSVLog(path)])
    rows = read_log(path)
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    np.testing.assert_allclose([row["loss"] for row in rows], history.history["loss"])
    assert all(row["seconds"] >= 0 for row in rows)
    # Resumed after two epochs: the third is logged anew, not twice.
    again = fit(model, [CSVLog(path)], start=2, epochs=4)
    rows = read_log(path)
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    np.testing.assert_allclose([row["loss"] for row in rows[2:]], again.history["loss"])


def test_csv_takes_columns_that_come_later(model, tmp_path):
    path = tmp_path / "log.csv"
    fit(model, [CSVLog(path)], epochs=1)
    validation = (np.ones((2, 2), "float32"), np.ones((2, 1), "float32"))
    fit(model, [CSVLog(path)], start=1, epochs=2, validation_data=validation)
    first, second = read_log(path)
    assert "val_loss" not in first and "val_loss" in second


def test_no_log(tmp_path):
    assert read_log(tmp_path / "log.csv") == []


@pytest.mark.once
@pytest.mark.parametrize(
    "content",
    [b"epoch,seconds\n1,x\n", b"epoch,seconds\n1,2,3\n", b"epoch\xff\n1\n", b"loss\n1\n"],
)
def test_a_damaged_log(tmp_path, content):
    (tmp_path / "log.csv").write_bytes(content)
    with pytest.raises(ValueError, match=r"Expected a table.*Received.*log\.csv"):
        read_log(tmp_path / "log.csv")


def test_tensorboard_events(model, tmp_path):
    history = fit(model, [TensorBoardLog(tmp_path)])
    found = read_events(next(tmp_path.iterdir()))
    steps, values = zip(*found["loss"], strict=True)
    assert steps == (1, 2, 3)
    np.testing.assert_allclose(values, history.history["loss"], rtol=1e-6)
    np.testing.assert_allclose([value for _, value in found["learning_rate"]], 0.01, rtol=1e-6)


def read_events(path):
    from tensorboardX.proto.event_pb2 import Event

    data, position, found = path.read_bytes(), 0, {}
    while position < len(data):
        length = int.from_bytes(data[position : position + 8], "little")
        event = Event.FromString(data[position + 12 : position + 12 + length])
        position += length + 16
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def test_without_a_terminal_there_are_few_plain_lines(model):
    console = Console(file=io.StringIO(), width=40)
    fit(model, [ProgressBar(console, "training [bold]L1H1[/bold]", 2)], epochs=5)
    lines = console.file.getvalue().splitlines()
    assert len(lines) == 2  # the first, since nothing was printed before, and the last
    assert lines[-1].startswith("training [bold]L1H1[/bold]  epoch 5/5  loss ")


def test_bar_on_a_terminal_shows_metrics_and_time_left(model):
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    bar = ProgressBar(console, "training", 2)
    fit(model, [bar], start=1, epochs=3)
    shown = console.file.getvalue()
    assert "epoch 3/3" in shown and "6/6" in shown and "left" in shown


def test_bar_goes_away_when_training_fails(model):
    class Fails(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    bar = ProgressBar(console, "training", 2)
    with pytest.raises(KeyboardInterrupt):
        fit(model, [bar, Fails()])
    assert console._live_stack == []


@pytest.mark.parametrize("terminal", [True, False])
def test_bars_of_other_work(terminal):
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
    with steps_bar(console, "making", 2) as advance:
        advance("one [0]")
    with batches_bar(console, "reading") as show:
        show(1, 2)
    assert "one [0]" in console.file.getvalue()
