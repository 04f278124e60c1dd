import numpy as np
import pytest

import sweet_keras as sk
from sweet_keras.core.template import SweetTemplate
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.quickstart import quickstart
from sweet_keras.runs.quickstart_config import QuickstartConfig
from sweet_keras.runs.results import Results
from sweet_keras.runs.shared_classifier import SharedClassifier
from sweet_keras.runs.starting_point import load_network
from sweet_keras.runs.training import adamw

TINY = {
    "seeds": 2,
    "source_size": "L2H2",
    "sizes": ("L1H2",),
    "head_dim": 4,
    "patch_size": 4,
    "image_size": "8",
    "decoder": "L1H1",
    "pretrain_epochs": 1,
    "pretrain_batch_size": 16,
    "mask_ratio": 0.5,
    "labels": 16,
    "finetune_steps": 4,
    "finetune_batch_size": 8,
    "curve_points": 2,
}


def test_quickstart(data, tmp_path, console):
    config = QuickstartConfig(data=data, out=str(tmp_path / "run"), **TINY)
    results = quickstart(config, console=console, arguments=["quickstart"])
    run = RunDirectory(config.out)
    assert Results.load(run.results) == results
    assert [(trial.method, trial.seed) for trial in results.trials] == [
        (method, seed) for seed in (0, 1) for method in ("random", "slice", "adapt")
    ]
    assert all(trial.curve_steps == (2, 4) for trial in results.trials)
    assert {part.method for part in results.spectra} == {"random", "slice", "adapt"}
    assert SweetTemplate.load(run.template).size == sk.ViTSize(2, 2, 4)
    assert load_network(str(run.model)).count_params() == results.trials[0].parameters
    assert not run.checkpoint.parent.exists()
    with pytest.raises(ValueError, match="holds a run that is finished"):
        quickstart(config, console=console)


def test_methods_in_one_classifier_do_not_see_each_other(rng):
    """Starting again gives what a first start gives, whatever ran between."""
    vit = sk.ViTBackbone("L1H1", image_shape=(8, 8, 1), patch_size=4, head_dim=4)
    weights = vit.get_weights()
    other = [array + 0.1 for array in weights]
    images = rng.integers(0, 255, (8, 8, 8, 1)).astype("uint8")
    labels = rng.integers(0, 3, 8).astype("int32")
    shared = SharedClassifier(vit, 3, adamw(0.01, 4, 0.25, 0.05))

    def batches():
        while True:
            yield images, labels

    def train(start, seed):
        shared.start(start, seed)
        curve = shared.fit(batches(), steps=4, points=2, measure=lambda model: 0.5)
        assert curve.steps == [2, 4] and curve.accuracies == [0.5, 0.5] and curve.seconds > 0
        return shared.model.get_weights(), curve.losses

    first, losses = train(weights, seed=1)
    different, _ = train(other, seed=2)
    again, same_losses = train(weights, seed=1)
    assert losses == same_losses
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert any(np.abs(a - b).max() > 1e-3 for a, b in zip(first, different, strict=True))
