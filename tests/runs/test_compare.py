import contextlib
import csv
import json
import subprocess
import sys
import time
import types
from subprocess import PIPE

import numpy as np
import pytest

import sweet_keras as sk
from sweet_keras.runs.claims import claim
from sweet_keras.runs.compare import compare
from sweet_keras.runs.compare_config import CompareConfig
from sweet_keras.runs.method_names import METHODS as NAMES
from sweet_keras.runs.methods import METHODS
from sweet_keras.runs.starting_point import load_network
from sweet_keras.runs.variants import VARIANTS

pytestmark = pytest.mark.keras


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
        pytest.approx(100 * trial.accuracy, abs=0.01) for trial in results.trials
    ]
    assert table[0]["pretrain_seconds"] == "0.0" and table[0]["stored_parameters"] == "0"
    assert (
        int(table[1]["stored_parameters"])
        == load_network(str(run / "sources" / "plain-L2H2" / "model.keras")).count_params()
    )
    template = sk.SweetTemplate.load(run / "sources" / "template" / "template.sweet")
    assert int(table[2]["stored_parameters"]) == template.parameters
    assert all(float(row["pretrain_seconds"]) > 0 for row in table[1:])

    # More seeds and a method are added; what is there is neither trained nor measured again.
    kept = {path: path.stat().st_mtime_ns for path in run.glob("*/**/*") if path.is_file()}
    more = {**options, "seeds": 2, "methods": ["random", "sweet_adapt", "sweet_slice"]}
    compare(CompareConfig(**more), resume=True, console=console)
    assert kept == {path: path.stat().st_mtime_ns for path in kept}
    assert [(row["method"], row["seed"]) for row in rows(run)] == [
        (method, seed) for method in more["methods"] for seed in "01"
    ]
    assert rows(run)[0]["accuracy"] == table[0]["accuracy"]


@pytest.mark.once
def test_validation_images_are_not_learned_from_and_test_images_not_tuned_on(
    options, console, monkeypatch
):
    """Each cell says what it measured; the images of the parts are told apart by their source."""
    import sweet_keras.runs.classification as module

    seen = []
    measure = module.measure_accuracy

    def watch(model, source, *arguments):
        seen.append(len(source))
        return measure(model, source, *arguments)

    monkeypatch.setattr(module, "measure_accuracy", watch)
    compare(CompareConfig(**{**options, "methods": ["random"]}), console=console)
    # 40 training images, of which 10 are for validation, and 12 test images, seen once. The first
    # measurement with each learning rate is for compilation. What was chosen is not trained again.
    assert seen == [10] * 4 + [10] * 4 + [12]


@pytest.mark.once
def test_testing_what_was_chosen_again_from_its_file_gives_the_same(options, tmp_path, console):
    """Interrupted between choosing and testing, a fine-tuning is repeated."""
    options = {**options, "methods": ["xavier"]}
    compare(CompareConfig(**options), console=console)
    (path,) = (tmp_path / "run" / "cells").glob("*-test.json")
    first = json.loads(path.read_text())["trial"]
    path.unlink()
    compare(CompareConfig(**options), resume=True, console=console)
    again = json.loads(path.read_text())["trial"]
    for name in ("accuracy", "curve_accuracy", "curve_loss"):
        np.testing.assert_allclose(again[name], first[name], rtol=1e-4)


@pytest.mark.once
def test_the_same_network_is_fine_tuned_once(options, tmp_path, console, monkeypatch):
    """At its own size a source is its own prefix; the seconds of making it are each method's."""
    import sweet_keras.runs.finetuner as module

    trained = []
    trial = module.Finetuner.trial

    def watch(finetuner, method, *arguments):
        trained.append(method)
        return trial(finetuner, method, *arguments)

    monkeypatch.setattr(module.Finetuner, "trial", watch)
    options = {**options, "methods": ["xavier", "direct", "prefix"], "sizes": ["L2H2"]}
    results = compare(CompareConfig(**options), console=console)
    assert set(trained) == {"xavier", "direct"}
    found = {trial.method: trial for trial in results.trials}
    assert found["prefix"].accuracy == found["direct"].accuracy
    assert found["prefix"].curve_accuracy == found["direct"].curve_accuracy
    # Other labels are another fine-tuning, from the same network.
    trained.clear()
    more = {**options, "labels": 24, "out": str(tmp_path / "more")}
    more["sources"] = str(tmp_path / "run" / "sources")
    compare(CompareConfig(**more), console=console)
    assert set(trained) == {"xavier", "direct"}


@pytest.mark.once
def test_higher_rates_are_tried_while_accuracy_rises(options, tmp_path, console):
    """At 1e3 nothing is learned, so 1e4 is not tried, whatever their order."""
    change = {"methods": ["xavier"], "learning_rates": [1e4, 2e-2, 1e3, 1e-9]}
    compare(CompareConfig(**{**options, **change}), console=console)
    assert {cell.name for cell in (tmp_path / "run" / "cells").iterdir()} == {
        "L1H1-xavier-1e-09-0-validation.json",
        "L1H1-xavier-0.02-0-validation.json",
        "L1H1-xavier-1000-0-validation.json",
        "L1H1-xavier-0.02-0-test.json",
    }


@pytest.mark.once
def test_one_learning_rate_is_not_chosen(options, tmp_path, console):
    change = {"methods": ["xavier"], "learning_rates": [2e-2]}
    compare(CompareConfig(**{**options, **change}), console=console)
    (cell,) = (tmp_path / "run" / "cells").iterdir()
    assert cell.name == "L1H1-xavier-0.02-0-test.json"


@pytest.mark.once
@pytest.mark.parametrize("change", [{"labels": 8}, {"weight_decay": 0.0}, {"adapt_epochs": 0.3}])
def test_a_cell_of_another_recipe_is_refused(options, tmp_path, console, change):
    options = {**options, "methods": ["sweet_adapt"], "learning_rates": [2e-2], "finetune_steps": 2}
    compare(CompareConfig(**options), console=console)
    ((name, value),) = change.items()
    with pytest.raises(ValueError, match=rf"another configuration: `.*{name}` must be {value}"):
        compare(CompareConfig(**{**options, **change}), resume=True, console=console)


@pytest.mark.once
def test_a_source_of_another_recipe_is_refused(options, tmp_path, console):
    shared = {"methods": ["sweet_slice"], "sources": str(tmp_path / "sources")}
    options = {**options, **shared, "learning_rates": [2e-2], "finetune_steps": 2}
    compare(CompareConfig(**options), console=console)
    # Fewer labels change nothing about the source; fewer epochs do.
    again = {**options, "labels": 8, "out": str(tmp_path / "again")}
    log = tmp_path / "sources" / "template" / "log.csv"
    before = log.stat().st_mtime_ns
    compare(CompareConfig(**again), console=console)
    assert log.stat().st_mtime_ns == before
    other = {**options, "pretrain_epochs": 1, "out": str(tmp_path / "other")}
    with pytest.raises(ValueError, match=r"template.*`epochs` must be 1.*Received: 2"):
        compare(CompareConfig(**other), console=console)


@pytest.mark.once
def test_what_another_process_holds_is_left_to_it(options, tmp_path, console, monkeypatch):
    """First all that is free is done; then it waits for the other, here until that one dies."""
    import sweet_keras.runs.compare as module

    run, waited = tmp_path / "run", []
    options = {**options, "methods": ["random", "prefix", "sweet_slice"], "finetune_steps": 2}
    options["learning_rates"] = [2e-2]
    with contextlib.ExitStack() as held:
        assert held.enter_context(claim(run / "locks" / "L1H1-random.lock"))
        assert held.enter_context(claim(run / "sources" / "template.lock"))

        def sleep(seconds):
            waited.append([path.name for path in (run / "cells").iterdir()])
            held.close()

        fake = types.SimpleNamespace(sleep=sleep, perf_counter=time.perf_counter)
        monkeypatch.setattr(module, "time", fake)
        assert compare(CompareConfig(**options), resume=True, wait=False, console=console) is None
        assert waited == [] and not (run / "results.json").exists()
        compare(CompareConfig(**options), resume=True, console=console)
    assert waited == [["L1H1-prefix-0.02-0-test.json"]]
    assert [row["method"] for row in rows(run)] == options["methods"]


@pytest.mark.once
def test_two_processes_share_the_work(options, tmp_path):
    change = {"methods": ["random", "prefix", "sweet_slice"], "seeds": 2, "pretrain_epochs": 1}
    change |= {"sizes": ["L2H1", "L1H1"], "finetune_steps": 2}
    (tmp_path / "options.json").write_text(json.dumps({**options, **change}))
    line = ["compare", "--config", str(tmp_path / "options.json"), "--resume"]
    code = f"import sys; from sweet_keras.cli.app import run; sys.exit(run({line!r}))"
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdout=PIPE, stderr=PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=600) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    tested = [line for _, err in outputs for line in err.splitlines() if "accuracy" in line]
    # 2 sizes, 3 methods, 2 seeds: each was fine-tuned once, by one of the two.
    assert len(tested) == len({line.rpartition(":")[0] for line in tested}) == 12
    run = tmp_path / "run"
    assert len(rows(run)) == 12 and len(list((run / "cells").glob("*-test.json"))) == 12
    for source in ("plain-L2H2", "template"):
        log = (run / "sources" / source / "log.csv").read_text().splitlines()
        assert len(log) == 1 + change["pretrain_epochs"]


def test_every_method_makes_a_network(options, tmp_path, console):
    change = {"methods": NAMES, "source_size": "L3H2", "sizes": ["L2H1"], "learning_rates": [2e-2]}
    compare(CompareConfig(**{**options, **change}), console=console)
    table = rows(tmp_path / "run")
    assert [row["method"] for row in table] == list(NAMES)
    cells = (tmp_path / "run" / "cells").glob("*-test.json")
    curves = {tuple(json.loads(path.read_text())["trial"]["curve_loss"]) for path in cells}
    # At the smallest size there is nothing to grow: LiGO's small network is what `direct` trains.
    assert len(curves) == len(NAMES) - 1
    stored = {row["method"]: int(row["stored_parameters"]) for row in table}
    assert stored["ligo"] == stored["direct"]
    sources = tmp_path / "run" / "sources"
    assert {path.name for path in sources.iterdir() if path.is_dir()} == {
        "plain-L3H2",
        "plain-L2H1",
        "template",
        "tleg",
        "wave-4",
    }
    blocks = 12 * 8 * 8 + 13 * 8  # kernels; two norms and biases of 3, 1, 4 and 1 widths
    rest = stored["prefix"] - 3 * blocks
    assert stored["tleg"] == rest + 2 * blocks


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": ["wave2"]}, "--methods must be of random, xavier"),
        ({"methods": ["sweet_slice:bold"]}, "sweet_adapt followed by one of :no_width_masks"),
        ({"methods": ["prefix:depth"]}, "--methods must be of"),
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


@pytest.mark.once
def test_variants_have_templates_of_their_own(options, tmp_path, console):
    names = ["sweet_slice", *(f"sweet_adapt:{variant}" for variant in VARIANTS)]
    names += ["sweet_adapt", "sweet_slice:supervised"]
    change = {"methods": names, "sizes": ["L2H1"], "learning_rates": [2e-2], "finetune_steps": 4}
    compare(CompareConfig(**{**options, **change}), console=console)
    table = {row["method"]: row for row in rows(tmp_path / "run")}
    assert list(table) == names
    sources = tmp_path / "run" / "sources"
    folders = {path.name: path for path in sources.iterdir() if path.is_dir()}
    pretrained = [name for name, variant in VARIANTS.items() if variant.decomposition is None]
    assert set(folders) == {"template", *(f"template-{name}" for name in pretrained), "plain-L2H2"}
    recipes = {
        name: json.loads((folder / "recipe.json").read_text()) for name, folder in folders.items()
    }
    del recipes["plain-L2H2"]
    plain = recipes.pop("template")
    differing = {
        name.removeprefix("template-"): {
            option: value for option, value in recipe.items() if value != plain[option]
        }
        for name, recipe in recipes.items()
    }
    assert differing == {
        "no_width_masks": {"subnetworks": "depth"},
        "no_depth": {"subnetworks": "width"},
        "not_nested": {"subnetwork_rate": 0.0},
        "ranks_half": {"ranks": "0.5"},
        "supervised": {"labelled_images": 30},
    }
    template = sk.SweetTemplate.load(folders["template-ranks_half"] / "template.sweet")
    assert template.ranks == (12, 8, 8) and template.decoder is not None
    assert int(table["sweet_adapt:ranks_half"]["stored_parameters"]) == template.parameters
    # The classifier has learned which half is bright; there is no decoder.
    assert sk.SweetTemplate.load(folders["template-supervised"] / "template.sweet").decoder is None
    steps = [
        json.loads((folder / "results.json").read_text())["steps"] for folder in folders.values()
    ]
    assert len(set(steps)) == 1
    # Those that are made of the plain network differ from each other, and half a network is half.
    network = load_network(str(folders["plain-L2H2"] / "model.keras"))
    half = int(table["sweet_adapt:decomposed_half"]["stored_parameters"])
    assert 0.45 * network.count_params() < half <= network.count_params() / 2
    starts = {
        json.loads(path.read_text())["start"]
        for path in (tmp_path / "run" / "cells").glob("*decomposed*-test.json")
    }
    assert len(starts) == 4


@pytest.mark.once
def test_too_many_labels_are_refused_before_anything_is_written(options, tmp_path, console):
    with pytest.raises(ValueError, match="number of labels must be from 1 to 30"):
        compare(CompareConfig(**{**options, "labels": 31}), console=console)
    assert not (tmp_path / "run").exists()


@pytest.mark.once
def test_random_starts_differ_by_seed_and_selections_do_not(options, tmp_path, console):
    compare(
        CompareConfig(**{**options, "methods": ["random", "prefix"], "seeds": 2}), console=console
    )
    assert len(rows(tmp_path / "run")) == 4
    assert not np.isclose(*_first_losses(tmp_path, "random"))


def _first_losses(tmp_path, method):
    paths = sorted((tmp_path / "run" / "cells").glob(f"*-{method}-*-test.json"))
    return [json.loads(path.read_text())["trial"]["curve_loss"][0] for path in paths]
