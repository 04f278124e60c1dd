import json

import pytest

from sweet_keras.runs.measurements import Pretraining, Spectrum, Task, Trial
from sweet_keras.runs.results import Results

TRIAL = {
    "method": "sweet_slice",
    "size": "L1H2",
    "seed": 0,
    "accuracy": 0.5,
    "steps": 4,
    "learning_rate": 1e-3,
    "seconds": 1.0,
}


def results(**trial):
    return Results(
        command="quickstart",
        finished="2026-01-01T00:00:00+00:00",
        task=Task(data="photos", classes=("a", "b"), test_images=4),
        pretraining=Pretraining(
            size="L2H2",
            head_dim=4,
            ranks=(2, 8, 8),
            seconds=1.0,
            steps=3,
            batch_size=2,
            loss=float("nan"),
            template_parameters=10,
            dense_parameters=20,
        ),
        trials=(Trial(**{**TRIAL, **trial}),),
        spectra=(Spectrum(method="sweet_slice", size="L1H2", kind="query", values=(2.0, 1.0)),),
        notes=("a note",),
    )


def test_round_trip(tmp_path):
    before = results(curve_steps=(2, 4), curve_loss=(1.0, 0.5), class_accuracy=(0.5, None))
    before.save(tmp_path / "results.json")
    after = Results.load(tmp_path / "results.json")
    assert after.trials == before.trials
    assert after.spectra == before.spectra
    assert after.pretraining.loss is None  # JSON has no NaN
    after.save(tmp_path / "again.json")
    assert Results.load(tmp_path / "again.json") == after


@pytest.mark.parametrize(
    ("trial", "message"),
    [
        ({"accuracy": 85.0}, r"`accuracy` must be a fraction in \[0, 1\]. Received: 85"),
        ({"class_accuracy": (0.5, 2.0)}, "`accuracy` must be a fraction"),
        ({"curve_steps": (1, 2), "curve_loss": (1.0,)}, "`curve_loss` must be 2 long, or empty"),
    ],
)
def test_wrong_values_are_not_written(tmp_path, trial, message):
    with pytest.raises(ValueError, match=message):
        results(**trial).save(tmp_path / "results.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 99}, "`schema` must be 1. Received: 99"),
        ({"trials": [{**TRIAL, "colour": 1}]}, "`Trial` must be made of .* Received: colour"),
        ({"trials": [{"size": "L1H1"}]}, "`Trial` must be given method"),
        ({"trials": [3]}, "`Trial` must be a mapping. Received: 3"),
        ({"task": {}}, "`Task` must be given data"),
        ({"spectra": [{"method": "a", "size": "b", "kind": "c", "values": [1, 2]}]}, "falling"),
    ],
)
def test_wrong_files_are_refused(tmp_path, change, message):
    results().save(tmp_path / "results.json")
    values = json.loads((tmp_path / "results.json").read_text())
    (tmp_path / "results.json").write_text(json.dumps({**values, **change}))
    with pytest.raises(ValueError, match=message):
        Results.load(tmp_path / "results.json")


@pytest.mark.parametrize("content", ["", "[]", "{", "3", '"text"'])
def test_files_that_are_no_results(tmp_path, content):
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(ValueError, match="Received:"):
        Results.load(tmp_path / "results.json")
