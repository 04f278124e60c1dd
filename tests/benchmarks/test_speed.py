"""The arithmetic of the speed benchmarks, and the table they write. Nothing is timed."""

import argparse
import csv
import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


NAMES = ("interleave", "machine", "plan", "sizes", "table", "__main__")


@pytest.fixture(scope="module")
def speed():
    """Gives modules of the benchmarks by name, imported while Keras is not forbidden yet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        modules = {name: importlib.import_module(f"benchmarks.speed.{name}") for name in NAMES}
        yield modules.get
        for name in [name for name in sys.modules if name.split(".")[0] == "benchmarks"]:
            del sys.modules[name]


def row(**other):
    return {
        "benchmark": "train_step",
        "backend": "torch",
        "device": "cpu",
        "size": "small",
        "batch": 128,
        "ours": 2000.0,
        "peer": 1000.0,
        "peer_name": "plain kernels",
        "unit": "images/s",
        "ratio": 2.0,
        "ratio_low": 1.9,
        "ratio_high": 2.125,
        **other,
    }


def test_pairs_are_taken_in_turns(speed):
    calls = []

    def take(name, value):
        calls.append(name)
        return value

    pairs = speed("interleave").in_turns(lambda: take("a", 1.0), lambda: take("b", 2.0), 3)
    assert pairs == [(1.0, 2.0)] * 3
    assert "".join(calls) == "abbaab"


def test_ratio_is_the_median_of_the_pairs_and_its_spread_their_quartiles(speed, rng):
    pairs = [tuple(pair) for pair in rng.uniform(1, 3, (9, 2))]
    contest = speed("interleave").judge(pairs)
    ours, peer = np.transpose(pairs)
    np.testing.assert_allclose(
        [contest.low, contest.ratio, contest.high], np.quantile(peer / ours, [0.25, 0.5, 0.75])
    )
    np.testing.assert_allclose([contest.ours, contest.peer], np.median(pairs, axis=0))
    rates = speed("interleave").as_rates(pairs, 128)
    np.testing.assert_allclose(rates, [np.median(128 / ours), np.median(128 / peer)])


def test_one_pair_has_no_spread(speed):
    assert speed("interleave").judge([(2.0, 3.0)]) == (2.0, 3.0, 1.5, 1.5, 1.5)
    with pytest.raises(ValueError, match="at least one pair"):
        speed("interleave").judge([])


def test_rows_of_one_key_are_replaced_and_others_kept(speed, tmp_path):
    table = speed("table")
    table.add(row(), {"threads": 2, "pairs": 7}, tmp_path)
    table.add(row(batch=32), {"threads": 2, "pairs": 7}, tmp_path)
    known = {"threads": 1, "pairs": 5, "clock": "cpu"}
    table.add(row(ratio=0.5, ratio_low=0.25), known, tmp_path)
    with (tmp_path / "speed.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(found["batch"], found["ratio"]) for found in rows] == [("128", "0.5"), ("32", "2")]
    assert ",".join(rows[0]) == (
        "benchmark,backend,device,size,batch,ours,peer,peer_name,unit,ratio,ratio_low,ratio_high"
    )
    about = json.loads((tmp_path / "speed.json").read_text())
    assert about["train_step torch cpu small 128 plain_kernels"] == known
    page = (tmp_path / "speed.md").read_text()
    line = "| torch | cpu | small | 128 | 2,000 | 1,000 | images/s | plain kernels | **0.50** |"
    assert f"{line} 0.25 to 2.12 | 1 | 5 | cpu |" in page
    with pytest.raises(ValueError, match="must have the columns"):
        table.add({"benchmark": "train_step"}, {}, tmp_path)


def test_sizes(speed):
    sizes = speed("sizes")
    size, variants = sizes.parse("tiny+muon+half")
    assert (size.depth, size.heads, size.dim, size.patches) == (12, 3, 192, 196)
    assert (size.decoder_depth, size.decoder_heads) == (2, 1)
    assert variants == {"muon", "half"}
    for wrong in ("huge", "small+fast"):
        with pytest.raises(ValueError, match="`size` must be one of"):
            sizes.parse(wrong)


def test_what_is_measured_is_not_measured_again(speed, tmp_path):
    plan, table, machine = speed("plan"), speed("table"), speed("machine")
    options = argparse.Namespace(
        device="cpu", threads=1, clock="wall", quick=False, results=tmp_path
    )
    planned = plan.Row("train_step", "torch", "small", 128, 1.0)
    assert not plan.measured(planned, options)
    about = {"threads": 1, "clock": "wall", "quick": False, "sources": machine.sources()}
    table.add(row(), about, tmp_path)
    assert plan.measured(planned, options)
    assert not plan.measured(planned._replace(batch=32), options)
    options.threads = 2
    assert not plan.measured(planned, options)
    options.threads = 1
    table.add(row(), {**about, "sources": "of an older library"}, tmp_path)
    assert not plan.measured(planned, options)


def test_every_planned_row_is_one_that_can_be_asked_for(speed):
    plan, program, sizes = speed("plan"), speed("__main__"), speed("sizes")
    rows = plan.rows()
    assert len({planned[:4] for planned in rows}) == len(rows)
    assert {planned.benchmark for planned in rows} == set(program.BENCHMARKS)
    for planned in rows:
        if planned.benchmark not in ("build_w", "materialize"):
            sizes.parse(planned.size)


def test_sources_change_with_the_library(speed, tmp_path):
    sources = speed("machine").sources
    (tmp_path / "sweet_keras").mkdir()
    (tmp_path / "sweet_keras" / "a.py").write_text("x = 1\n")
    before = sources(tmp_path)
    assert before == sources(tmp_path)
    (tmp_path / "sweet_keras" / "a.py").write_text("x = 2\n")
    assert before != sources(tmp_path)
