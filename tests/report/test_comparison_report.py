"""Tables, figures and headline of a comparison, in HTML and Markdown."""

import dataclasses
import itertools

import numpy as np
import pytest

from sweet_keras.report import write_report
from sweet_keras.report.accuracy_by_cost import spread
from sweet_keras.report.comparison_headline import comparison_headline
from sweet_keras.report.comparison_tables import comparison_tables
from sweet_keras.runs.measurements import Task, Trial
from sweet_keras.runs.method_names import METHODS
from sweet_keras.runs.results import Results
from sweet_keras.runs.results_table import Row, write_table
from sweet_keras.runs.summary import Summary

SIZES = ("L3H3", "L6H6")
HOSTILE = "<b>&|`*[x](y)"


@pytest.fixture
def rows(rng):
    """Invented, the later method always the better one."""
    return [
        Row(
            dataset="photos",
            labels=1000,
            method=method,
            size=size,
            seed=seed,
            learning_rate=1e-3,
            accuracy=50 + place + 10 * SIZES.index(size) + 0.1 * rng.random(),
            steps_to_random=20,
            pretrain_seconds=0.0 if method in METHODS[:3] else 60.0 + place,
            adapt_seconds=1.0,
            finetune_seconds=3.0,
            stored_parameters=1000,
        )
        for place, method in enumerate((*METHODS, "sweet_slice:depth"))
        for size in SIZES
        for seed in range(3)
    ]


def results(rows, **changes):
    trials = [
        Trial(
            method=row.method,
            size=row.size,
            seed=row.seed,
            accuracy=row.accuracy / 100,
            steps=40,
            learning_rate=row.learning_rate,
            seconds=1.0,
            curve_steps=(20, 40),
            curve_loss=(1.0, 0.5),
            curve_accuracy=(0.5, row.accuracy / 100),
        )
        for row in rows
    ]
    fields = {
        "command": "compare",
        "finished": "2026-01-01T00:00:00+00:00",
        "task": Task(data="photos", test_images=40, train_labels=1000),
        "trials": tuple(trials),
    }
    return Results(**{**fields, **changes})


def test_html_and_markdown(run, rows):
    write_table(run.table, rows)
    results(rows).save(run.results)
    page = write_report(run.path).read_text()
    text = run.markdown.read_text()
    assert text.startswith("# SWEET adapt is ") and "above direct" not in text.splitlines()[0]
    for name in ("accuracy", "cost", "learning"):
        assert (run.figures / f"{name}.png").stat().st_size > 10_000
        assert f"](figures/{name}.png)" in text
    assert page.count("<svg") == 3 and page.count("<h3>") == 3
    for title in ("Accuracy", "Differences", "Cost"):
        assert f"### {title}\n" in text and f"<h3>{title}</h3>" in page
    # One row for each method in each table, less the one that is compared in the second.
    assert text.count("| Heur-LG |") == 3 and text.count("| SWEET adapt |") == 2
    assert "SWEET slice, depth" in text
    assert write_report(run.path).read_text() == page and run.markdown.read_text() == text


def test_what_users_write_stays_text(run, rows):
    rows = [
        dataclasses.replace(row, method=HOSTILE, dataset=HOSTILE)
        if row.method == "mimetic"
        else dataclasses.replace(row, dataset=HOSTILE)
        for row in rows
    ]
    write_table(run.table, rows)
    results(rows).save(run.results)
    assert "<b>" not in write_report(run.path).read_text()
    text = run.markdown.read_text()
    assert "<b>" not in text.replace("\\<b\\>", "") and "[x](" not in text.replace("\\[x\\](", "")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in lines} == {5, 7}


def test_the_best_is_bold_and_direct_is_not(rows):
    summary = Summary([row for row in rows if row.method != "sweet_slice:depth"])
    accuracy, differences, _ = comparison_tables(summary)
    best = {row[0] for row in accuracy.rows for cell in row if isinstance(cell, tuple)}
    assert best == {"SWEET adapt"}
    assert all(kind == "better" for row in differences.rows for kind, _ in row[1:])
    direct = [
        dataclasses.replace(row, accuracy=99.0) if row.method == "direct" else row for row in rows
    ]
    accuracy, differences, _ = comparison_tables(Summary(direct))
    assert not any(
        isinstance(cell, tuple) for row in accuracy.rows if "direct" in row[0] for cell in row
    )
    (row,) = [row for row in differences.rows if "direct" in row[0]]
    assert [kind for kind, _ in row[1:]] == ["worse"] * 3


@pytest.mark.parametrize(
    ("shift", "title"),
    [
        (0.0, "points above LiGO, the best other start, on average over 2 sizes"),
        (-10.0, "points below LiGO, the best other start, on average over 2 sizes"),
        (-3.0, "is not clearly different from LiGO, the best other start"),
    ],
)
def test_the_headline_says_who_won(rows, shift, title):
    rng = np.random.default_rng(0)
    changed = [
        dataclasses.replace(row, accuracy=row.accuracy + shift + rng.normal() * (shift == -3.0))
        if row.method == "sweet_adapt"
        else row
        for row in rows
    ]
    first, more = comparison_headline(Summary(changed))
    assert title in first
    assert "95 % confidence interval" in more[0] and "paired over 3 seeds" in more[0]
    assert more[1].startswith(f"It has the highest mean at {2 if shift == 0 else 0} of 2 sizes")
    # 70 of template and 2 of adapting, against 68 at each size.
    assert "at 53% of its seconds" in more[2]


def test_without_the_template_there_is_a_report_too(run, rows):
    rows = [row for row in rows if row.method in ("random", "direct") and row.size == "L3H3"]
    write_table(run.table, rows)
    results(rows).save(run.results)
    assert "Differences" not in write_report(run.path).read_text()
    assert "### Cost" in run.markdown.read_text() and "cost.png" not in run.markdown.read_text()


def test_labels_are_moved_apart_and_no_further_than_needed(rng):
    for _ in range(50):
        heights = sorted(rng.random(8).tolist())
        moved = spread(heights, 0.1, 0.0, 1.0)
        assert all(b - a > 0.1 - 1e-9 for a, b in itertools.pairwise(moved))
        assert moved[0] > -1e-9 and moved[-1] < 1 + 1e-9
    assert spread([0.1, 0.5, 0.9], 0.1, 0.0, 1.0) == [0.1, 0.5, 0.9]
    assert spread([0.5, 0.5], 0.2, 0.0, 1.0) == pytest.approx([0.4, 0.6])
    assert len(spread([0.5] * 30, 0.1, 0.0, 1.0)) == 30
