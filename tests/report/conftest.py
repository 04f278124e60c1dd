"""Run directories with invented results."""

import numpy as np
import pytest

from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.environment import write_environment
from sweet_keras.runs.measurements import Pretraining, Spectrum, Task, Trial
from sweet_keras.runs.quickstart_config import QuickstartConfig
from sweet_keras.runs.results import Results

HOSTILE = "<script>alert('x')</script> \"quoted\" & $\\frac{ünbalanced$"


@pytest.fixture
def invent(rng):
    """Returns a function that invents results."""

    def results(gain=0.05, seeds=3, sizes=("L1H2", "L2H2"), **changes):
        trials = [
            Trial(
                method=method,
                size=size,
                seed=seed,
                accuracy=0.5 + share * (gain + 0.0003 * (-1) ** seed) + 0.001 * seed,
                steps=4,
                learning_rate=1e-3,
                seconds=2.0,
                initialization_seconds=share * 3.0,
                parameters=1000 * (number + 1),
                curve_steps=(2, 4),
                curve_loss=(2.0, 1.0),
                curve_accuracy=(0.3, 0.5),
                class_accuracy=(0.4, None),
            )
            for number, size in enumerate(sizes)
            for seed in range(seeds)
            for method, share in (("xavier", 0), ("sweet_slice", 0.5), ("sweet_adapt", 1))
        ]
        spectra = [
            Spectrum(
                method=method,
                size="L2H2",
                kind=kind,
                values=tuple(sorted(rng.random(5).tolist(), reverse=True)),
            )
            for method in ("xavier", "sweet_slice", "sweet_adapt")
            for kind in ("query", "key", "value", "output", "mlp_in", "mlp_out")
        ]
        fields = {
            "command": "quickstart",
            "finished": "2026-01-01T00:00:00+00:00",
            "task": Task(
                data="photos",
                classes=("a", "b"),
                train_images=100,
                train_labels=16,
                test_images=40,
            ),
            "pretraining": Pretraining(
                size="L2H2",
                head_dim=4,
                ranks=(4, 8, 8),
                seconds=30.0,
                steps=10,
                batch_size=8,
                loss=0.6,
                template_parameters=900,
                dense_parameters=2000,
            ),
            "trials": tuple(trials),
            "spectra": tuple(spectra),
        }
        return Results(**{**fields, **changes})

    return results


@pytest.fixture
def run(tmp_path, rng):
    """A run directory in which everything lies but the results."""
    run = RunDirectory(tmp_path / "run")
    run.start()
    run.write_config(QuickstartConfig(out=str(run.path)))
    write_environment(run.environment, "quickstart", ["quickstart", "--out", HOSTILE])
    run.log.write_text("epoch,seconds,loss\n1,2.0,0.9\n2,2.0,0.8\n")
    images = rng.integers(0, 256, (3, 8, 8, 1)).astype("uint8")
    np.savez(run.reconstruction, original=images, masked=images // 2, reconstructed=255 - images)
    return run
