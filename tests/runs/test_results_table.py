import dataclasses

import pytest

from sweet_keras.runs.measurements import Trial
from sweet_keras.runs.results_table import (
    Row,
    read_table,
    steps_to,
    steps_to_baseline,
    write_table,
)


def trial(method="sweet_slice", size="L1H1", accuracy=0.5, curve=(0.2, 0.5, 0.4), **changes):
    fields = {
        "method": method,
        "size": size,
        "seed": 0,
        "accuracy": accuracy,
        "steps": 30,
        "learning_rate": 1e-3,
        "seconds": 1.0,
        "curve_steps": (10, 20, 30),
        "curve_accuracy": curve,
    }
    return Trial(**{**fields, **changes})


ROW = Row(
    dataset="photos, old",
    labels=1000,
    method="sweet_adapt:ranks_half",
    size="L3H3",
    seed=2,
    learning_rate=5e-4,
    accuracy=87.125,
    steps_to_random=40,
    pretrain_seconds=12.34,
    adapt_seconds=0.125,
    finetune_seconds=3.21,
    stored_parameters=12345,
)


def test_steps_to():
    assert steps_to(0.5, trial()) == 20
    assert steps_to(0.1, trial()) == 10
    assert steps_to(0.6, trial()) is None
    assert steps_to(0.1, trial(curve=(), curve_steps=())) is None


def test_the_target_is_the_end_of_the_better_random_start_at_each_size():
    trials = [
        trial("random", accuracy=0.6, curve=(0.1, 0.4, 0.5)),
        trial("random", accuracy=0.5, curve=(0.1, 0.4, 0.3), seed=1),  # mean at the end: 0.4
        trial("xavier", accuracy=0.5, curve=(0.1, 0.1, 0.2)),
        trial("prefix", curve=(0.3, 0.39, 0.41)),
        trial("xavier", "L2H1", accuracy=0.5, curve=(0.1, 0.1, 0.2)),
        trial("random", "L2H1", accuracy=0.4, curve=(0.1, 0.4, 0.9)),
        trial("prefix", "L2H1", curve=(0.2, 0.3, 0.4)),
        trial("prefix", "L3H1", curve=(0.2, 0.3, 0.4)),
    ]
    assert steps_to_baseline(trials) == [20, 20, None, 30, 30, 20, 10, None]


def test_there_and_back(tmp_path):
    rows = (ROW, dataclasses.replace(ROW, steps_to_random=None, seed=3))
    write_table(tmp_path / "results.csv", rows)
    text = (tmp_path / "results.csv").read_text().splitlines()
    assert text[0] == (
        "dataset,labels,method,size,seed,learning_rate,accuracy,steps_to_random,pretrain_seconds,"
        "adapt_seconds,finetune_seconds,stored_parameters"
    )
    assert text[1] == (
        '"photos, old",1000,sweet_adapt:ranks_half,L3H3,2,0.0005,87.12,40,12.3,0.12,3.2,12345'
    )
    back = read_table(tmp_path / "results.csv")
    expected = {"accuracy": 87.12, "pretrain_seconds": 12.3, "adapt_seconds": 0.12}
    assert back[0] == dataclasses.replace(ROW, finetune_seconds=3.2, **expected)
    assert back[1].steps_to_random is None


@pytest.mark.parametrize("content", ["a,b\n1,2\n", None, "header"])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "results.csv"
    if content == "header":
        write_table(path, [ROW])
        path.write_text(path.read_text().replace("1000", "many"))
    elif content:
        path.write_text(content)
    with pytest.raises(ValueError, match=r"Expected a CSV file .* Received: .*results\.csv"):
        read_table(path)
