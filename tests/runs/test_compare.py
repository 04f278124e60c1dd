import csv
import dataclasses
import json

import numpy as np
import pytest

import sweet_keras as sk
from sweet_keras.runs.compare import compare, steps_to
from sweet_keras.runs.compare_config import CompareConfig
from sweet_keras.runs.measurements import Trial
from sweet_keras.runs.method_names import METHODS as NAMES
from sweet_keras.runs.methods import METHODS
from sweet_keras.runs.starting_point import load_network


@pytest.fixture
def options(data, tmp_path):
    return {
        "data": data,
        "out": str(tmp_path / "run"),
        "methods": ["random", "prefix", "sweet_adapt"],
        "sizes": ["L1H1"],
        "seeds": 1,
        "image_size": "8",
        "labels": 16,
        "validation": 0.25,
        "source_size": "L2H2",
        "head_dim": 4,
        "decoder": "L1H1",
        "mask_ratio": 0.5,
        "pretrain_epochs": 2,
        "pretrain_batch_size": 8,
        "learning_rates": [1e-9, 2e-2],
        "finetune_steps": 20,
        "finetune_batch_size": 8,
        "curve_points": 2,
    }


def rows(path):
    with (path / "results.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_names_are_the_methods():
    assert tuple(METHODS) == NAMES


def test_a_comparison_and_more_of_it(options, tmp_path, console):
    run = tmp_path / "run"
    results = compare(CompareConfig(**options), console=console)
    table = rows(run)
    assert [row["method"] for row in table] == ["random", "prefix", "sweet_adapt"]
    # With the other rate nothing is learned: the validation images must have chosen this one.
    assert {row["learning_rate"] for row in table} == {"0.02"}
    assert [float(row["accuracy"]) for row in table] == [
        pytest.approx(trial.accuracy, abs=1e-4) for trial in results.trials
    ]
    assert table[0]["pretraining_seconds"] == "0.0" and table[0]["stored_parameters"] == "0"
    assert (
        int(table[1]["stored_parameters"])
        == load_network(str(run / "sources" / "plain-L2H2" / "model.keras")).count_params()
    )
    template = sk.SweetTemplate.load(run / "sources" / "template" / "template.sweet")
    assert int(table[2]["stored_parameters"]) == template.parameters
    assert all(float(row["pretraining_seconds"]) > 0 for row in table[1:])

    # More seeds and a method are added; what is there is neither trained nor measured again.
    kept = {path: path.stat().st_mtime_ns for path in run.glob("*/**/*") if path.is_file()}
    more = {**options, "seeds": 2, "methods": ["random", "sweet_adapt", "sweet_slice"]}
    compare(CompareConfig(**more), resume=True, console=console)
    assert kept == {path: path.stat().st_mtime_ns for path in kept}
    assert [(row["method"], row["seed"]) for row in rows(run)] == [
        (method, seed) for method in more["methods"] for seed in "01"
    ]
    assert rows(run)[0]["accuracy"] == table[0]["accuracy"]


def test_validation_images_are_not_learned_from_and_test_images_not_tuned_on(
    options, console, monkeypatch
):
    """Each cell says what it measured; the images of the parts are told apart by their source."""
    import sweet_keras.runs.compare as module

    seen = []
    measure = module.measure_accuracy

    def watch(model, source, shape):
        seen.append(len(source))
        return measure(model, source, shape)

    monkeypatch.setattr(module, "measure_accuracy", watch)
    compare(CompareConfig(**{**options, "methods": ["random"]}), console=console)
    # 40 training images, of which 10 are for validation, and 12 test images, seen once.
    assert seen == [10] * 8 + [12]


def test_every_method_makes_a_network(options, tmp_path, console):
    change = {"methods": NAMES, "source_size": "L3H2", "sizes": ["L2H1"]}
    compare(CompareConfig(**{**options, **change}), console=console)
    table = rows(tmp_path / "run")
    assert [row["method"] for row in table] == list(NAMES)
    cells = (tmp_path / "run" / "cells").glob("*-test.json")
    curves = {tuple(json.loads(path.read_text())["curve_loss"]) for path in cells}
    assert len(curves) == len(NAMES)


def test_steps_to():
    trial = Trial(
        method="sweet_slice",
        size="L1H1",
        seed=0,
        accuracy=0.5,
        steps=30,
        learning_rate=1e-3,
        seconds=1.0,
        curve_steps=(10, 20, 30),
        curve_accuracy=(0.2, 0.5, 0.4),
    )
    assert steps_to(0.5, trial) == 20
    assert steps_to(0.1, trial) == 10
    assert steps_to(0.6, trial) is None
    assert steps_to(0.1, dataclasses.replace(trial, curve_steps=(), curve_accuracy=())) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": ["wave2"]}, "--methods must be of random, xavier"),
        ({"sizes": ["L1H1", "L1H1"]}, "--sizes must be given at least once, no value twice"),
        ({"validation": 1.0}, "--validation must be in"),
        ({"learning_rates": [0.0]}, "--learning-rates must be positive"),
        ({"curve_points": 3}, "--curve-points must be a divisor of 20"),
        ({"labels": 4}, "--labels must be at least one batch, 8"),
    ],
)
def test_wrong_options_are_named(options, change, message):
    with pytest.raises(ValueError, match=message):
        CompareConfig(**{**options, **change})


def test_too_many_labels_are_refused_before_anything_is_written(options, tmp_path, console):
    with pytest.raises(ValueError, match="number of labels must be from 1 to 30"):
        compare(CompareConfig(**{**options, "labels": 31}), console=console)
    assert not (tmp_path / "run").exists()


def test_random_starts_differ_by_seed_and_selections_do_not(options, tmp_path, console):
    compare(
        CompareConfig(**{**options, "methods": ["random", "prefix"], "seeds": 2}), console=console
    )
    assert len(rows(tmp_path / "run")) == 4
    assert not np.isclose(*_first_losses(tmp_path, "random"))


def _first_losses(tmp_path, method):
    paths = sorted((tmp_path / "run" / "cells").glob(f"*-{method}-*-test.json"))
    return [json.loads(path.read_text())["curve_loss"][0] for path in paths]
