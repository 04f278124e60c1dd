"""The headline says who won, whoever it was."""

import dataclasses

import pytest

from sweet_keras.report.headline import headline
from sweet_keras.runs.measurements import Spectrum


def test_template_wins(invent):
    first, more = headline(invent(gain=0.05))
    assert first == "The adapted template beats random initialisation at all 2 sizes: +5.0 points"
    assert more[0].startswith("SWEET slice, points above random: L1H2 +2.5 (better), L2H2 +2.5")
    assert "mean of 3 seeds" in more[-1] and "t-test" in more[-1]


def test_random_wins(invent):
    first, more = headline(invent(gain=-0.05))
    assert first.startswith(
        "Random initialisation beats the adapted template at all 2 sizes: \u2212"
    )
    assert "(worse)" in more[0]


def test_nobody_wins(invent):
    first, _ = headline(invent(gain=0.0001))
    assert "is not clearly different from random initialisation" in first


def test_mixed(invent):
    results = invent(gain=0.05)
    trials = tuple(
        dataclasses.replace(trial, accuracy=0.1 + 0.001 * trial.seed)
        if trial.size == "L2H2" and trial.method == "sweet_adapt"
        else trial
        for trial in results.trials
    )
    first, _ = headline(dataclasses.replace(results, trials=trials))
    assert first.endswith("against random initialisation: better at L1H2, worse at L2H2")


def test_one_seed_is_called_too_few(invent):
    first, more = headline(invent(gain=0.2, seeds=1))
    assert "on too few seeds to tell" in first and "beats" not in first
    assert "With a single seed no difference can be told from chance" in more[-1]


@pytest.mark.parametrize("method", ["sweet_slice", "xavier"])
def test_sick_templates_are_warned_of(invent, method):
    sick = Spectrum(method=method, size="L2H2", kind="key", values=(30.0, 1.0))
    results = invent()
    _, more = headline(dataclasses.replace(results, spectra=(*results.spectra, sick)))
    assert ("key (30)" in more[-1]) == (method == "sweet_slice")


def test_methods_without_a_baseline(invent):
    results = invent()
    trials = tuple(trial for trial in results.trials if trial.method != "xavier")
    first, more = headline(dataclasses.replace(results, trials=trials))
    assert first.startswith("Accuracy of L1H2, L2H2 on 40 test images")
    assert len(more) == 4
