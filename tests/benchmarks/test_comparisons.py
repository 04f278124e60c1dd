"""The benchmark of comparisons: what it merges and draws, and one run of it."""

import dataclasses
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from sweet_keras.runs.measurements import Task, Trial
from sweet_keras.runs.results import Results
from sweet_keras.runs.results_table import Row, read_table, write_table

FILE = Path(__file__).parents[2] / "benchmarks" / "comparisons.py"

ROW = Row(
    dataset="photos",
    labels=100,
    method="random",
    size="L1H1",
    seed=0,
    learning_rate=1e-3,
    accuracy=50.0,
    steps_to_random=20,
    pretrain_seconds=0.0,
    adapt_seconds=0.0,
    finetune_seconds=3.0,
    stored_parameters=0,
)


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("comparisons", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def change(**values):
    return dataclasses.replace(ROW, **values)


def test_rows_of_runs_are_put_together(benchmark):
    one, two = [ROW, change(seed=1)], [change(labels=10), change(method="xavier")]
    assert benchmark.merge([one, two]) == [*one, *two]
    with pytest.raises(ValueError, match=r"one run\. Received: \('photos', 100, 'random'"):
        benchmark.merge([one, [change(accuracy=60.0)]])


def test_new_rows_take_the_place_of_a_whole_method(benchmark):
    before = [ROW, change(size="L2H1"), change(method="xavier"), change(labels=10)]
    new = [change(accuracy=60.0)]
    assert benchmark.replace(before, new) == [before[2], before[3], new[0]]


def test_the_least_seconds_of_the_same_work_count(benchmark):
    rows = [change(adapt_seconds=9.0), change(labels=10, adapt_seconds=2.0)]
    rows += [change(size="L2H1", adapt_seconds=5.0), change(dataset="sounds", adapt_seconds=1.0)]
    found = benchmark.with_least_seconds(rows)
    assert [row.adapt_seconds for row in found] == [2.0, 2.0, 5.0, 1.0]
    assert [dataclasses.replace(row, adapt_seconds=0.0) for row in found] == [
        dataclasses.replace(row, adapt_seconds=0.0) for row in rows
    ]


def test_steps_are_counted_to_the_random_start_of_another_run(benchmark):
    def run(method, curve, labels=100):
        trial = Trial(
            method=method, size="L1H1", seed=0, accuracy=curve[-1], steps=20, learning_rate=1e-3,
            seconds=1.0, curve_steps=(10, 20), curve_loss=(1.0, 1.0), curve_accuracy=curve,
        )  # fmt: skip
        results = Results(
            command="compare",
            finished="2026-01-01T00:00:00Z",
            task=Task(data="photos"),
            trials=(trial,),
        )
        return benchmark.Run(None, [change(method=method, labels=labels)], results)

    runs = [run("prefix", (0.6, 0.7)), run("random", (0.4, 0.5)), run("wave", (0.6, 0.7), 10)]
    found = [run.rows[0].steps_to_random for run in benchmark.with_steps(runs)]
    assert found == [10, 20, None]


def test_every_configuration_is_valid(benchmark):
    places = {"fashion-mnist": "elsewhere", "scenes": "there"}
    configs = {
        table: [
            benchmark.read_config(path, places)
            for path in sorted((FILE.parent / table).glob("*.yaml"))
        ]
        for table in benchmark.TASKS
    }
    every = [config for table in configs.values() for config in table]
    assert len({config.out for config in every}) == len(every)
    assert {config.data for config in every} == {"elsewhere", "cifar10"}
    cells = [
        (config.data, config.labels, method, size, seed)
        for config in configs["classification"]
        for method in config.methods
        for size in config.sizes
        for seed in range(config.seeds)
    ]
    assert len(cells) == len(set(cells))  # or they could not be merged
    for table, task in benchmark.TASKS.items():
        assert {config.task for config in configs[table]} == {task}
    dense = configs["detection"] + configs["segmentation"]
    assert all(config.annotated == "there" and config.library and config.head for config in dense)


def test_measures_of_detectors_become_rows(benchmark, tmp_path):
    config = benchmark.read_config(FILE.parent / "detection" / "scenes.yaml", {})
    trials = [
        Trial(
            method="random",
            size="L1H1",
            seed=seed,
            accuracy=0.25,
            steps=4,
            learning_rate=1e-3,
            seconds=1.0,
            more={"AP50": 0.5, "AP75": 0.1, "APs": None},
        )
        for seed in range(2)
    ]
    results = Results(
        command="compare",
        finished="2026-01-01T00:00:00Z",
        task=Task(data="scenes", metric="AP"),
        trials=tuple(trials),
    )
    rows = [change(dataset="scenes", seed=seed) for seed in range(2)]
    benchmark.write_measures(tmp_path / "t.csv", [benchmark.Run(config, rows, results)])
    assert (tmp_path / "t.csv").read_text().splitlines() == [
        "dataset,method,size,seed,model,metric,value",
        "scenes,random,L1H1,0,keras_hub/retinanet,AP,25.00",
        "scenes,random,L1H1,0,keras_hub/retinanet,AP50,50.00",
        "scenes,random,L1H1,1,keras_hub/retinanet,AP,25.00",
        "scenes,random,L1H1,1,keras_hub/retinanet,AP50,50.00",
    ]


def test_a_page_is_drawn_from_the_table_alone(benchmark, tmp_path, rng):
    rows = [
        change(method=method, size=size, seed=seed, labels=labels, accuracy=50 + rng.random())
        for labels in (10, 2000)
        for method in ("random", "prefix", "sweet_adapt")
        for size in ("L1H1", "L2H2")
        for seed in range(2)
    ]
    write_table(tmp_path / "classification.csv", rows)
    (tmp_path / "configs" / "classification").mkdir(parents=True)
    line = [
        "classification",
        "--render",
        "--configs",
        str(tmp_path / "configs"),
        "--results",
        str(tmp_path),
    ]
    benchmark.main(line)
    text = (tmp_path / "classification.md").read_text()
    assert "## photos, 10 labels" in text and "## photos, 2,000 labels" in text
    assert text.count("| prefix selection |") == 6 and "learning.png" not in text
    for path in ("photos-10-accuracy.png", "photos-2000-accuracy.png", "photos-10-cost.png"):
        assert (tmp_path / "classification" / path).stat().st_size > 5000
        assert f"](classification/{path})" in text
    # Curves that were drawn once stay.
    (tmp_path / "classification" / "photos-10-learning.png").write_bytes(b"")
    benchmark.main(line)
    assert (
        "](classification/photos-10-learning.png)" in (tmp_path / "classification.md").read_text()
    )
    assert len(read_table(tmp_path / "classification.csv")) == len(rows)


@pytest.mark.keras
@pytest.mark.once
def test_a_run(benchmark, tmp_path):
    rng = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 40), ("test", 12)):
        labels = np.arange(count) % 2
        images = rng.integers(0, 100, (count, 8, 8, 1)) + 150 * labels[:, None, None, None]
        arrays |= {f"x_{split}": images.astype("uint8"), f"y_{split}": labels}
    np.savez(tmp_path / "bright.npz", **arrays)
    options = {
        "data": "bright",
        "methods": ["xavier", "sweet_slice"],
        "sizes": ["L1H1", "L1H2"],
        "seeds": 2,
        "image_size": "8",
        "labels": 16,
        "source_size": "L1H2",
        "sources": str(tmp_path / "sources"),
        "head_dim": 4,
        "decoder": "L1H1",
        "pretrain_epochs": 1,
        "pretrain_batch_size": 8,
        "learning_rates": [1e-3],
        "finetune_steps": 2,
        "finetune_batch_size": 8,
        "curve_points": 2,
    }
    (tmp_path / "configs" / "classification").mkdir(parents=True)
    for name, labels in (("a", 16), ("b", 8)):
        values = {**options, "out": str(tmp_path / name), "labels": labels}
        (tmp_path / "configs" / "classification" / f"{name}.yaml").write_text(json.dumps(values))
    line = [
        "classification",
        "--configs",
        str(tmp_path / "configs"),
        "--results",
        str(tmp_path / "results"),
    ]
    benchmark.main([*line, "--data", f"bright={tmp_path / 'bright.npz'}"])
    rows = read_table(tmp_path / "results" / "classification.csv")
    assert len(rows) == 16 and {row.labels for row in rows} == {16, 8}
    figures = {path.name for path in (tmp_path / "results" / "classification").iterdir()}
    name = rows[0].dataset
    assert figures == {
        f"{name}-{labels}-{kind}.png"
        for labels in (8, 16)
        for kind in ("accuracy", "cost", "learning")
    }
    trials = Results.load(tmp_path / "a" / "results.json").trials
    assert [100 * trial.accuracy for trial in trials] == pytest.approx(
        [row.accuracy for row in rows if row.labels == 16], abs=0.01
    )
    assert [path.name for path in (tmp_path / "sources").glob("*.lock")] == ["template.lock"]
